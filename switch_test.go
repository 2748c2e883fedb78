package stopover

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// switchSite is a store on which counts move from one table to another: 1.5
// counts in the one, 1.6 in the other, and nothing can write both.
func switchSite(t *testing.T, more string) *site {
	s := newSite(t, "postgres")
	s.write("stopover.yaml", `application: shop
stores:
  main: {url: "${file:url}", kind: postgres, migrations: migrations, fence: {api: {sessions: "api/{release}"}}}
components:
  api: {main: rw}
releases: ["1.5", "1.6"]
`+more)
	s.migration("0001_old", "-- stopover: expand\nCREATE TABLE old (id int PRIMARY KEY, n int NOT NULL);\n")
	a := s.app()
	_, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "main:0001_old"}})
	if err = errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	s.exec("INSERT INTO old SELECT g, 0 FROM generate_series(1, 20) g")
	s.migration("0002_move", `-- stopover: expand
CREATE TABLE fresh (id int PRIMARY KEY, n int NOT NULL);
-- stopover: cutover needs=1.6
INSERT INTO fresh SELECT id, n FROM old ON CONFLICT (id) DO UPDATE SET n = excluded.n;
-- stopover: contract writers=1.6 readers=1.6
DROP TABLE old;
`)
	return s
}

// counting is an instance that counts until it is refused, or told to stop.
type counting struct {
	instance *Instance
	done     chan struct{}
	stop     atomic.Bool
	counted  atomic.Int64
	err      error // what ended it
}

// count runs an instance of a release that counts in a table.
func (s *site) count(t *testing.T, a *App, release, table string) *counting {
	t.Helper()
	i := join(t, a, "api", release, "api-"+release)
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("application_name", "api/"+release)
	u.RawQuery = query.Encode()
	db, err := sql.Open("pgx", u.String())
	if err != nil {
		t.Fatal(err)
	}
	c := &counting{instance: i, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer db.Close()
		for n := 0; !c.stop.Load(); n++ {
			if _, c.err = db.Exec("UPDATE "+table+" SET n = n + 1 WHERE id = $1", n%20+1); c.err != nil {
				return
			}
			c.counted.Add(1)
		}
	}()
	return c
}

// TestSwitch cuts over while the old release writes: it is shut out, and no count
// that it was told of is lost. Without --switch apply stops before it; the plan
// says who is shut out.
func TestSwitch(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "")
	fleet := s.app()
	old := s.count(t, fleet, "1.5", "old")
	ask := ApplyOptions{Target: Target{To: "1.6"}}
	doc, err := s.app().Plan(wait(t), PlanOptions{Target: ask.Target})
	if err != nil || doc.Summary.Switches != 1 || !slices.ContainsFunc(doc.Notes, func(n string) bool {
		return strings.Contains(n, "main 0002_move.cutover: apply --switch shuts out api/1.5")
	}) {
		t.Fatalf("the plan: %+v, %v", doc.Notes, err)
	}
	report, err := s.app().Apply(wait(t), ask)
	if err != nil || report.Exit != ExitStop || !slices.Contains(report.Next, "stopover apply --to 1.6 --switch") {
		t.Fatalf("%+v, %v", report, err)
	}
	eventually(t, func() bool { return old.counted.Load() > 100 })
	waits := make(chan error, 1)
	go func() {
		_, err := fleet.Ready(wait(t), ReadyOptions{Component: "api", Release: "1.6", Mode: ReadyWait, Every: 10 * time.Millisecond})
		waits <- err
	}()
	ask.Switch = true
	if report, err = s.app().Apply(wait(t), ask); err != nil || len(report.Did) != 1 || report.Did[0].Step != "cutover" {
		t.Fatalf("%+v, %v", report, err)
	}
	<-old.done
	if old.err == nil || !strings.Contains(old.err.Error(), "writers below 1.6 may not write to main any more") {
		t.Errorf("the old release ended with %v", old.err)
	}
	if err := <-waits; err != nil {
		t.Fatal(err)
	}
	old.instance.Leave(wait(t))
	fresh := s.count(t, fleet, "1.6", "fresh")
	eventually(t, func() bool { return fresh.counted.Load() > 100 })
	fresh.stop.Store(true)
	<-fresh.done
	var sum int64
	if err := s.db.QueryRow("SELECT sum(n) FROM fresh").Scan(&sum); err != nil || sum != old.counted.Load()+fresh.counted.Load() {
		t.Errorf("%d counts, want %d and %d (%v)", sum, old.counted.Load(), fresh.counted.Load(), err)
	}
	s.cleanUp(t, s.app())
	if left := s.rows("SELECT tgname FROM pg_trigger WHERE tgname LIKE '%fence%'"); len(left) > 0 {
		t.Errorf("the fence is left: %q", left)
	}
	if left := s.rows("SELECT key FROM stopover_note WHERE key LIKE 'fence/%'"); len(left) > 0 {
		t.Errorf("notes are left: %q", left)
	}
}

func (s *site) cleanUp(t *testing.T, a *App) {
	t.Helper()
	if _, err := a.Attest(wait(t), Statement{Component: "api", Releases: []string{"1.6"}, Reason: "seen"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Attest(wait(t), Statement{Client: s.one("SELECT current_user"), Reason: "the test itself"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Cleanup(wait(t), CleanupOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestSwitchThatFails lifts the fence: the old release goes on, with no floor
// left, and so it does where a write is under way for too long.
func TestSwitchThatFails(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "")
	s.migration("0002_move", strings.Replace(s.read("migrations/0002_move.sql"), "SELECT id, n FROM old", "SELECT id, n / 0 FROM old", 1))
	old := s.count(t, s.app(), "1.5", "old")
	eventually(t, func() bool { return old.counted.Load() > 10 })
	_, err := s.app().Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
	if exitOf(err) != ExitFailed || !strings.Contains(err.Error(), "division by zero") {
		t.Fatalf("it fails with %v", err)
	}
	<-old.done // it was refused for a moment
	again := s.count(t, s.app(), "1.5", "old")
	eventually(t, func() bool { return again.counted.Load() > 10 })
	again.stop.Store(true)
	if <-again.done; again.err != nil {
		t.Errorf("the old release is still shut out: %v", again.err)
	}
	if left := s.rows("SELECT key FROM stopover_note WHERE key LIKE 'fence/%' OR key LIKE 'ledger/0002_move/cutover'"); len(left) > 0 {
		t.Errorf("notes are left: %q", left)
	}
}

// TestSwitchIsRefusedWithoutAFence shows that a cutover never begins beside old
// writers that nothing holds back, also not with --switch.
func TestSwitchIsRefusedWithoutAFence(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "")
	s.write("stopover.yaml", strings.Replace(s.read("stopover.yaml"), `, fence: {api: {sessions: "api/{release}"}}`, "", 1))
	join(t, s.app(), "api", "1.5", "api-1")
	report, err := s.app().Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
	if err != nil || report.Exit != ExitStop || slices.ContainsFunc(report.Did, func(d wire.Deed) bool { return d.Step == "cutover" }) {
		t.Fatalf("%+v, %v", report, err)
	}
	doc, err := s.app().Plan(wait(t), PlanOptions{Target: Target{To: "1.6"}})
	if err != nil || !strings.Contains(strings.Join(doc.Notes, "\n"), "nothing says how api is kept from writing to main") {
		t.Errorf("the plan says %q, %v", doc.Notes, err)
	}
}

// TestSwitchKilled kills the run at each of its writes: the next one comes to the
// same end, and the old release is shut out from the cutover on.
func TestSwitchKilled(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "")
	s.exec("UPDATE old SET n = 7")
	from := s.template()
	died := true
	for at := 1; died; at++ {
		s.restore(from)
		fleet, runner := s.app(), s.app()
		i := join(t, fleet, "api", "1.5", "api-1")
		p := start(t, errand{Dir: s.dir, Command: "switch", KillAt: at, TTL: shortTTL})
		_ = p.Wait()
		died = p.ProcessState.ExitCode() != 0
		report, err := runner.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
		if err != nil || report.Left.Pending > 0 {
			t.Fatalf("killed at %d: %+v, %v", at, report, err)
		}
		if sum := s.one("SELECT sum(n)::text FROM fresh"); sum != "140" {
			t.Fatalf("killed at %d: %s counts", at, sum)
		}
		i.Leave(wait(t))
		if fenced := s.rows("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'aaa_stopover_fence' ORDER BY 1"); !slices.Contains(fenced, "old") {
			t.Fatalf("killed at %d: fenced are %q", at, fenced)
		}
		s.cleanUp(t, runner)
		if left := s.rows("SELECT tgname::text FROM pg_trigger WHERE tgname LIKE '%fence%'"); len(left) > 0 {
			t.Fatalf("killed at %d: %q is left", at, left)
		}
		if err := errors.Join(fleet.Close(), runner.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWalkOverASwitch goes over a switch in one call: the command of roll: starts
// the new instances before it, and stops the old ones behind it.
func TestWalkOverASwitch(t *testing.T) {
	t.Parallel()
	s := switchSite(t, "roll: {api: ./deploy}\n")
	s.write("deploy", "#!/bin/sh\necho \"$STOPOVER_ACTION $STOPOVER_FROM $STOPOVER_RELEASE\" >> rolled\n")
	if err := os.Chmod(filepath.Join(s.dir, "deploy"), 0o755); err != nil {
		t.Fatal(err)
	}
	fleet := s.app()
	old := join(t, fleet, "api", "1.5", "api-1")
	a := s.app(func(c *Config) {
		c.Events = func(e Event) {
			if e.Kind == wire.EventWaiting && strings.Contains(e.Text, "api -> 1.6 (api-1 runs 1.5)") {
				old.Leave(context.Background())
				old = join(t, fleet, "api", "1.6", "api-2")
			}
		}
	})
	report, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Wait: true})
	var f *Failure
	if errors.As(err, &f) || err != nil || report.Exit != ExitDone || len(report.Rolls) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	if rolled := s.read("rolled"); rolled != "switch 1.5 1.6\nroll 1.5 1.6\n" {
		t.Errorf("roll was called for %q", rolled)
	}
}
