package stopover

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
)

var thePooler struct {
	mu sync.Mutex
	*testserver.Pooler
}

// sharedPooler is the PgBouncer that the tests of this package share, in front
// of the shared server.
func sharedPooler(t *testing.T) *testserver.Pooler {
	t.Helper()
	thePooler.mu.Lock()
	defer thePooler.mu.Unlock()
	if thePooler.Pooler == nil {
		thePooler.Pooler = testserver.Postgres(t).Pooler(t)
	}
	return thePooler.Pooler
}

// pooled puts the pooler between the project and its store.
func (s *site) pooled() {
	s.t.Helper()
	s.write("url", sharedPooler(s.t).URL(strings.TrimPrefix(mustURL(s.t, s.url).Path, "/")))
}

// killedInBackfill kills a runner in the middle of a backfill; another one takes
// over and finishes.
func killedInBackfill(t *testing.T, s *site) {
	t.Helper()
	p := start(t, errand{Dir: s.dir, Command: "apply", TTL: shortTTL, Tell: true})
	p.await(t, wire.EventBegun, "backfill")
	_ = p.Process.Kill()
	p.end()
	s.finish(t, []string{"apply"})
	s.touchedOnce()
}

func TestRunnerKilledBehindAPooler(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	s.pooled()
	killedInBackfill(t, s)
}

// A runner that is stopped in mid-transaction behind a pooler is displaced: its
// transaction is ended by the one that takes over, and it changes nothing when
// it wakes up.
func TestRunnerStoppedBehindAPooler(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	s.exec(`CREATE FUNCTION dwell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
		CREATE TRIGGER dwell BEFORE UPDATE ON orders FOR EACH ROW WHEN (new.id = 600 AND current_setting('application_name') LIKE 'stopover/%/2') EXECUTE FUNCTION dwell()`)
	s.pooled()
	watcher := s.client()
	p := start(t, errand{Dir: s.dir, Command: "apply", TTL: shortTTL, Tell: true})
	watcher.await("wait_event = 'PgSleep'")
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.finish(t, []string{"apply"})
	s.touchedOnce()
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if exit, _ := p.end(); exit != 1 || !strings.Contains(p.errors.String(), "took the store over") {
		t.Errorf("the displaced runner ended with %d: %s", exit, p.errors.String())
	}
	s.touchedOnce()
}

// Everything goes through a pooler but what cannot be in a transaction: that
// asks for direct_url by name, and goes on when it is given.
func TestStatementAloneBehindAPooler(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	direct := s.url
	s.pooled()
	s.migration("0003_index", "-- stopover: expand\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\n")
	r := s.applyWith(func() {})
	s.stops(r, ExitUsage, "direct_url", "statement 1 (line 2)", "behind a pooler", "stopover.yaml", "0003_index.sql")
	if r.failure != nil && !strings.Contains(strings.Join(r.failure.Next, " "), "apply") {
		t.Errorf("next: %q", r.failure.Next)
	}
	text, err := os.ReadFile(s.dir + "/stopover.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.write("stopover.yaml", strings.Replace(string(text), "migrations: migrations", "migrations: migrations, direct_url: \""+direct+"\"", 1))
	s.finish(t, []string{"apply", "verify"})
	s.touchedOnce()
}

// Nothing that a migration leaves in its session is another client's: settings,
// path, role, temporary tables, locks.
func TestMigrationsLeakNothingThroughAPooler(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	database := strings.TrimPrefix(mustURL(t, s.url).Path, "/")
	s.exec("CREATE ROLE leaks_" + database)
	s.pooled()
	s.migration("0003_leaks", "-- stopover: expand\nSET work_mem = '77MB';\nCREATE TEMPORARY TABLE scratch (a int);\nSELECT pg_advisory_lock(7);\n"+
		"SET timezone = 'Asia/Tokyo';\nSELECT set_config('search_path', 'nowhere', false);\n")
	s.migration("0004_fails", "-- stopover: expand\nCREATE TEMPORARY TABLE other (a int);\nSET ROLE leaks_"+database+";\nSELECT pg_advisory_lock(8);\nSELECT 1/0;\n")
	s.stops(s.applyWith(func() {}), ExitFailed, "division by zero", "0004_fails.sql:5")
	s.touchedOnce()
	plain := s.url
	s.open(sharedPooler(t).URL(database)) // through the same server connections
	s.db.SetMaxOpenConns(8)
	for range 30 {
		if got := s.one("SELECT current_setting('work_mem') || ' ' || current_setting('search_path') || ' ' || current_user || ' ' || current_setting('timezone') || ' ' || current_setting('row_security') || ' ' || current_setting('lock_timeout') || coalesce(' ' || to_regclass('pg_temp.scratch'), '') || coalesce(' ' || to_regclass('pg_temp.other'), '')"); !strings.HasPrefix(got, `4MB "$user", public postgres `) || strings.Contains(got, "Tokyo") || !strings.HasSuffix(got, " on 0") {
			t.Fatalf("another client sees %s", got)
		}
	}
	s.open(plain)
	if got := s.rows("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); len(got) != 0 {
		t.Errorf("locks that stay: %q", got)
	}
}
