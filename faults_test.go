package stopover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

const faultRows = 6000

// faulty is a project whose store holds rows and has a backfill before it whose
// change shows how often it was made.
func faulty(t *testing.T, url string) *site {
	t.Helper()
	s := &site{t: t, kind: "postgres", dir: t.TempDir()}
	s.open(url)
	s.write("stopover.yaml", "application: shop\nstores:\n  main: {url: \"${file:url}\", migrations: migrations}\n")
	s.migration("0001_begin", fmt.Sprintf("-- stopover: expand\nCREATE TABLE orders (id int PRIMARY KEY, touched int NOT NULL DEFAULT 0, note text);\n"+
		"INSERT INTO orders SELECT generate_series(1, %d);\n", faultRows))
	s.finish(t, []string{"init"})
	s.migration("0002_touch", "-- stopover: backfill table=orders\nUPDATE orders\nSET touched = touched + 1;\n")
	return s
}

// touchedOnce wants every row changed exactly once.
func (s *site) touchedOnce() {
	s.t.Helper()
	want := fmt.Sprintf("%d 1 1", faultRows)
	if got := s.one("SELECT count(*) || ' ' || min(touched) || ' ' || max(touched) FROM orders"); got != want {
		s.t.Errorf("rows, least and most touches: %s, want %s", got, want)
	}
}

// trial is one apply into which something happens.
type trial struct {
	failure *Failure // nil: it went well
	took    time.Duration

	mu     sync.Mutex
	events []wire.Event
}

// told gives the texts of the events of a kind.
func (r *trial) told(kind wire.EventKind) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var texts []string
	for _, e := range r.events {
		if e.Kind == kind {
			texts = append(texts, e.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// applyWith applies everything; a function is called once, before the second
// stretch of the backfill.
func (s *site) applyWith(harm func()) *trial {
	s.t.Helper()
	var stretches atomic.Int64
	return s.applyTapped(&tap{before: func(task store.Task) {
		if task.Action.Shape() == store.Stretched && stretches.Add(1) == 2 {
			harm()
		}
	}})
}

func (s *site) applyTapped(tap *tap) *trial {
	s.t.Helper()
	return s.applyConfigured(func(*Config) {}, tap)
}

func (s *site) applyConfigured(change func(*Config), tap *tap) *trial {
	s.t.Helper()
	r := &trial{}
	a := s.app(change, func(c *Config) {
		c.Kinds = tapped(c.Kinds, "postgres", tap)
		c.Events = func(e Event) {
			r.mu.Lock()
			r.events = append(r.events, e)
			r.mu.Unlock()
		}
	})
	defer func() { _ = a.Close() }()
	begun := time.Now()
	_, err := a.Apply(wait(s.t), ApplyOptions{})
	r.took = time.Since(begun)
	if err != nil && !errors.As(err, &r.failure) {
		s.t.Fatalf("apply ended with %T %v", err, err)
	}
	return r
}

// goesOn wants an apply that bore with what happened, and told of it.
func (s *site) goesOn(r *trial, kind wire.EventKind, word string) {
	s.t.Helper()
	if r.failure != nil {
		s.t.Fatalf("it gave up: %v", r.failure)
	}
	if !strings.Contains(r.told(kind), word) {
		s.t.Errorf("nothing was told of %q, only: %s", word, r.told(kind))
	}
	s.touchedOnce()
}

// stops wants an apply that ended with one clear line, and a next one that goes
// on from there.
func (s *site) stops(r *trial, exit int, words ...string) {
	s.t.Helper()
	if r.failure == nil {
		s.t.Fatal("it went well")
	}
	text := fmt.Sprint(r.failure, " ", r.failure.Detail.Code, " ", r.failure.Detail.Hint, " ", r.failure.Detail.File, ":", r.failure.Detail.Line)
	for _, word := range words {
		if !strings.Contains(text, word) {
			s.t.Errorf("%q is not in: %s", word, text)
		}
	}
	if r.failure.Exit != exit || len(r.failure.Next) == 0 && exit != ExitFailed {
		s.t.Errorf("exit %d, next %q; want exit %d", r.failure.Exit, r.failure.Next, exit)
	}
	if strings.Contains(strings.TrimSpace(r.failure.Error()), "\n") {
		s.t.Errorf("not one line: %s", r.failure)
	}
}

// session is a connection of the application's.
type client struct {
	t *testing.T
	*pgx.Conn
	mu *sync.Mutex // one statement at a time, and none while it is closed
}

func (s *site) client() *client {
	s.t.Helper()
	conn, err := pgx.Connect(context.Background(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	c := &client{t: s.t, Conn: conn, mu: new(sync.Mutex)}
	s.t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = conn.Close(context.Background()) // the test is over
	})
	return c
}

func (c *client) exec(sql string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.PgConn().Exec(context.Background(), sql).ReadAll(); err != nil {
		c.t.Errorf("%s: %v", sql, err)
	}
}

// waiting waits until one of our sessions waits for a lock.
func (c *client) waiting() {
	c.t.Helper()
	c.await("wait_event_type = 'Lock'")
}

// await waits until one of our sessions is in a state.
func (c *client) await(state string) {
	c.t.Helper()
	eventually(c.t, func() bool {
		var n int
		err := c.QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_activity WHERE "+ours+" AND "+state).Scan(&n)
		return err == nil && n > 0
	})
}

const ours = "datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'stopover%'"

func TestConnectionCutInMidStretch(t *testing.T) {
	t.Parallel()
	connectionCut(t, faulty(t, testserver.Postgres(t).NewURL(t)))
}

func connectionCut(t *testing.T, s *site) {
	t.Helper()
	l := s.cuttable()
	var stretches atomic.Int64
	r := s.applyTapped(&tap{record: func(task store.Task, _ store.Progress) {
		if task.Action.Shape() == store.Stretched && stretches.Add(1) == 2 {
			l.cut()
		}
	}})
	s.goesOn(r, wire.EventRetry, "cannot reach")
}

// The server itself picks our transaction as the victim of a real deadlock: the
// application holds row 656 and wants 654, while we have come to 655: no numbers at
// which a stretch is likely to end.
func TestDeadlockWithTheApplication(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	s.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 5', current_database()); END $$",
		// It stays at 655 until the application has come to wait for 654.
		`CREATE FUNCTION dwell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			FOR i IN 1..400 LOOP
				PERFORM pg_sleep(0.05), pg_stat_clear_snapshot();
				EXIT WHEN NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
					AND application_name NOT LIKE 'stopover%' AND state = 'idle in transaction');
			END LOOP;
			PERFORM pg_sleep(0.2);
			RETURN NEW;
		END $$;
		CREATE TRIGGER dwell BEFORE UPDATE ON orders FOR EACH ROW WHEN (new.id = 655 AND current_setting('application_name') LIKE 'stopover/%') EXECUTE FUNCTION dwell()`)
	app, watcher := s.client(), s.client()
	app.exec("SET deadlock_timeout = '1h'")
	app.exec("BEGIN; UPDATE orders SET note = 'paid' WHERE id = 656")
	done := make(chan struct{})
	go func() {
		defer close(done)
		watcher.await("wait_event = 'PgSleep'")
		app.exec("UPDATE orders SET note = 'paid' WHERE id = 654; COMMIT")
	}()
	r := s.applyWith(func() {})
	<-done
	s.goesOn(r, wire.EventRetry, "deadlock detected")
	if got := s.one("SELECT count(*) FROM orders WHERE note = 'paid'"); got != "2" {
		t.Errorf("%s of the application's 2 changes are there", got)
	}
}

// A database whose transactions are serializable by default, beside writers; and
// a failure of that sort, simulated by a trigger, since ours are not.
func TestSerializableByDefault(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	s.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''serializable''', current_database());"+
		"EXECUTE format('ALTER DATABASE %I SET default_transaction_deferrable = on', current_database()); END $$",
		`CREATE SEQUENCE failures; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF current_setting('application_name') LIKE 'stopover/%' AND nextval('failures') <= 2 THEN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
		CREATE TRIGGER fail AFTER UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION fail()`)
	s.migration("0003_index", "-- stopover: expand\nCREATE INDEX CONCURRENTLY orders_note ON orders (note);\n")
	app := s.client()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for id := 1; ; id++ {
			select {
			case <-stop:
				return
			default: // what the application loses to us it would repeat
				_, _ = app.Exec(context.Background(), "UPDATE orders SET note = 'x' WHERE id = $1", 1+id*7%faultRows)
			}
		}
	}()
	r := s.applyWith(func() {})
	close(stop)
	<-stopped
	s.goesOn(r, wire.EventRetry, "could not serialize access")
}

func TestTableLockedForLong(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	app, watcher := s.client(), s.client()
	r := s.applyWith(func() {
		app.exec("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
		go func() {
			watcher.waiting()
			time.Sleep(2 * time.Second) // longer than any single wait
			app.exec("COMMIT")
		}()
	})
	s.goesOn(r, wire.EventDone, "")
	if r.took < 2*time.Second {
		t.Errorf("it took only %s", r.took)
	}
}

// With less patience than the lock lasts it gives up, and says who has it.
func TestTableLockedForTooLong(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	app := s.client()
	app.exec("SET application_name = 'nightly report'")
	var once sync.Once
	r := s.applyConfigured(func(c *Config) { c.DDLWait = 700 * time.Millisecond }, &tap{before: func(task store.Task) {
		if task.Action.Shape() == store.Stretched {
			once.Do(func() { app.exec("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE") })
		}
	}})
	s.stops(r, ExitFailed, "no lock", "--ddl-wait")
	if evidence := strings.Join(r.failure.Detail.Evidence, " "); !strings.Contains(evidence, "nightly report") {
		t.Errorf("it does not say who has the lock: %s", evidence)
	}
	if r.took > 10*time.Second {
		t.Errorf("it took %s to give up", r.took)
	}
	app.exec("ROLLBACK")
	s.finish(t, []string{"apply"})
	s.touchedOnce()
}

func TestTableTruncatedMeanwhile(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	r := s.applyWith(func() { s.exec("TRUNCATE orders; INSERT INTO orders VALUES (100000, 0)") })
	if r.failure != nil {
		t.Fatal(r.failure)
	}
	if got := s.rows("SELECT id, touched FROM orders"); len(got) != 1 || got[0] != "100000|1" {
		t.Errorf("left: %q", got)
	}
}

func TestTableDroppedMeanwhile(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	r := s.applyWith(func() { s.exec("ALTER TABLE orders RENAME TO gone") })
	s.stops(r, ExitFailed, "orders", "does not exist", "0002_touch.sql:2")
	s.exec("ALTER TABLE gone RENAME TO orders")
	s.goesOn(s.applyWith(func() {}), wire.EventResumed, "")
}

func TestStatementCancelledByAnAdministrator(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	app, watcher := s.client(), s.client()
	done := make(chan struct{})
	r := s.applyWith(func() {
		app.exec("BEGIN; UPDATE orders SET note = 'x' WHERE id = 700")
		go func() {
			defer close(done)
			watcher.waiting()
			watcher.exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE " + ours + " AND wait_event_type = 'Lock'")
		}()
	})
	<-done
	app.exec("COMMIT")
	s.stops(r, ExitFailed, "canceling statement due to user request", "57014", "somebody cancelled it", "0002_touch.sql:2")
	s.goesOn(s.applyWith(func() {}), wire.EventResumed, "")
}

func TestSessionTerminatedByAnAdministrator(t *testing.T) {
	t.Parallel()
	sessionTerminated(faulty(t, testserver.Postgres(t).NewURL(t)))
}

func sessionTerminated(s *site) {
	s.t.Helper()
	app, watcher := s.client(), s.client()
	r := s.applyWith(func() {
		app.exec("BEGIN; UPDATE orders SET note = 'x' WHERE id = 700")
		go func() {
			watcher.waiting()
			watcher.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + ours)
			app.exec("COMMIT")
		}()
	})
	s.goesOn(r, wire.EventRetry, "terminating connection")
}

// A login that is forbidden meanwhile is not tried for a minute and a half:
// servers lock accounts out for that.
func TestLoginForbiddenMeanwhile(t *testing.T) {
	t.Parallel()
	server := testserver.Postgres(t)
	database := server.Database(t)
	role := "runner_" + database
	server.Exec(t, database, fmt.Sprintf("CREATE ROLE %s LOGIN; GRANT CREATE ON SCHEMA public TO %s", role, role))
	s := faulty(t, server.URLAs(role, "", database))
	r := s.applyWith(func() {
		server.Exec(t, database, fmt.Sprintf("ALTER ROLE %s NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s'", role, role))
	})
	s.stops(r, ExitFailed, "cannot reach", "not permitted to log in")
	if r.took > 20*time.Second {
		t.Errorf("it took %s to see", r.took)
	}
	server.Exec(t, database, fmt.Sprintf("ALTER ROLE %s LOGIN", role))
	s.finish(t, []string{"apply"})
	s.touchedOnce()
}

func TestConnectionsExhaustedMeanwhile(t *testing.T) {
	t.Parallel()
	server := testserver.OwnPostgres(t, "max_connections=12", "superuser_reserved_connections=1", "max_wal_senders=0")
	s := faulty(t, server.NewURL(t))
	s.db.SetMaxOpenConns(1)
	watcher := s.client()
	r := s.applyWith(func() {
		watcher.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + ours)
		var crowd []*pgx.Conn
		for {
			conn, err := pgx.Connect(context.Background(), s.url)
			if err != nil {
				break
			}
			crowd = append(crowd, conn)
		}
		time.AfterFunc(time.Second, func() {
			for _, conn := range crowd {
				_ = conn.Close(context.Background())
			}
		})
	})
	s.goesOn(r, wire.EventRetry, "too many clients")
}

// A constraint that is looked at in COMMIT takes the stretch and its record back.
func TestCommitThatFails(t *testing.T) {
	t.Parallel()
	s := faulty(t, testserver.Postgres(t).NewURL(t))
	s.exec("CREATE TABLE known (id int PRIMARY KEY)", fmt.Sprintf("INSERT INTO known SELECT generate_series(1, %d) EXCEPT SELECT 3000", faultRows),
		"CREATE TABLE copies (id int REFERENCES known DEFERRABLE INITIALLY DEFERRED)")
	s.migration("0002_touch", "-- stopover: backfill table=orders\nINSERT INTO copies\nSELECT o.id FROM orders o WHERE :range(o);\n")
	r := s.applyWith(func() {})
	s.stops(r, ExitFailed, "violates foreign key constraint", "23503", "0002_touch.sql")
	s.exec("INSERT INTO known VALUES (3000)")
	s.finish(t, []string{"apply"})
	if got := s.one("SELECT count(*) || ' ' || count(DISTINCT id) FROM copies"); got != fmt.Sprintf("%d %d", faultRows, faultRows) {
		t.Errorf("copies, and different ones: %s", got)
	}
}

// One transaction with more tables than the server can lock fails with the
// server's hint; as many steps of one table each do not.
func TestOutOfLocks(t *testing.T) {
	t.Parallel()
	server := testserver.OwnPostgres(t, "max_locks_per_transaction=10", "max_connections=10", "max_wal_senders=0")
	s := faulty(t, server.NewURL(t))
	var all strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&all, "CREATE TABLE many_%d (a int);\n", i)
	}
	s.migration("0003_many", "-- stopover: expand\n"+all.String())
	r := s.applyWith(func() {})
	s.stops(r, ExitFailed, "out of shared memory", "53200", "max_locks_per_transaction")
	s.migration("0003_many", "-- stopover: expand each\n"+all.String())
	s.finish(t, []string{"apply"})
	s.touchedOnce()
}
