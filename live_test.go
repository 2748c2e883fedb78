package stopover

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
)

// liveSite is a PostgreSQL store in use with a table of orders, and a migration
// that is still to be run.
func liveSite(t *testing.T, orders int, migration string) *site {
	s := newSite(t, "postgres")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial}, cents bigint, currency text);\n")
	s.finish(t, []string{"init"})
	s.exec(fmt.Sprintf("INSERT INTO orders (cents) SELECT g FROM generate_series(1, %d) g", orders), "ANALYZE orders")
	s.migration("0002_currency", migration)
	return s
}

const fillCurrency = "-- stopover: backfill\nUPDATE orders SET currency = 'EUR' WHERE currency IS NULL;\n"

// heard keeps the events that an app tells.
type heard struct {
	mutex  sync.Mutex
	events []Event
}

func (h *heard) hear(e Event) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.events = append(h.events, e)
}

// applies runs apply beside the test, which hears what it tells.
func (s *site) applies(t *testing.T) (h *heard, done <-chan error) {
	t.Helper()
	h = &heard{}
	ended := make(chan error, 1)
	go func() {
		_, err := s.app(func(c *Config) { c.Events = h.hear }).Apply(wait(t), ApplyOptions{})
		ended <- err
	}()
	return h, ended
}

// count counts the events of a kind whose text says this.
func (h *heard) count(kind wire.EventKind, says string) int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	n := 0
	for _, e := range h.events {
		if e.Kind == kind && strings.Contains(e.Text, says) {
			n++
		}
	}
	return n
}

// session opens a transaction of the application and leaves it open.
func (s *site) session(name, statement string) *sql.Conn {
	s.t.Helper()
	conn, err := s.db.Conn(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	for _, text := range []string{"SET application_name = '" + name + "'", "BEGIN", statement} {
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			s.t.Fatal(err)
		}
	}
	return conn
}

func (s *site) end(conn *sql.Conn, how string) {
	s.t.Helper()
	if _, err := conn.ExecContext(context.Background(), how); err != nil {
		s.t.Fatal(err)
	}
}

// failedWith gives the failure that an error is.
func failedWith(t *testing.T, err error) *Failure {
	t.Helper()
	var f *Failure
	if !errors.As(err, &f) {
		t.Fatalf("ended with %v, want a failure", err)
	}
	return f
}

// TestDDLNamesWhoBlocksIt shows that a step that cannot have its lock names who
// holds it, gives up in the end with exit code 1, and never makes readers queue
// for long; and that it has the lock soon after it is free.
func TestDDLNamesWhoBlocksIt(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 100, "-- stopover: expand\nALTER TABLE orders ADD COLUMN region text;\n")
	report := s.session("report", "SELECT count(*) FROM orders")
	var h heard
	a := s.app(func(c *Config) { c.DDLWait, c.Events = 2*time.Second, h.hear })
	reading, stop := context.WithCancel(wait(t))
	slowest := make(chan time.Duration, 1)
	go func() {
		longest := time.Duration(0)
		for reading.Err() == nil {
			begun := time.Now()
			_, _ = s.db.ExecContext(context.Background(), "SELECT 1 FROM orders LIMIT 1")
			longest = max(longest, time.Since(begun))
		}
		slowest <- longest
	}()
	_, err := a.Apply(wait(t), ApplyOptions{})
	stop()
	if longest := <-slowest; longest > time.Second {
		t.Errorf("a reader waited %s", longest)
	}
	f := failedWith(t, err)
	if f.Exit != ExitFailed || f.Detail.Kind != wire.KindLocked || !strings.Contains(strings.Join(f.Detail.Evidence, " "), "user postgres, report") {
		t.Errorf("it gave up with %d: %+v", f.Exit, f.Detail)
	}
	if h.count(wire.EventWaiting, "report") == 0 || h.count(wire.EventWaiting, "SELECT count(*) FROM orders") == 0 {
		t.Errorf("nobody was told who blocks: %+v", h.events)
	}
	freed := make(chan time.Time, 1)
	go func() {
		tries := h.count(wire.EventWaiting, "")
		for h.count(wire.EventWaiting, "") < tries+4 {
			time.Sleep(time.Millisecond)
		}
		freed <- time.Now()
		_, _ = report.ExecContext(context.Background(), "COMMIT")
	}()
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if late := time.Since(<-freed); late > 1500*time.Millisecond {
		t.Errorf("the lock was had %s after it was free", late)
	}
}

// TestKilledWithSpans shows G1 where several workers are on a table: SIGKILL at
// points of writing notes all along the way, each span goes on where it was, and
// every row was changed exactly once.
func TestKilledWithSpans(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	from := crashStory(t, s, 16_000)
	want, points := s.reference(t, from)
	for round := range 10 {
		s.restore(from)
		at := 8 + round*(points[0]-8)/10
		p := start(t, errand{Dir: s.dir, Command: "apply", KillAt: at, TTL: shortTTL})
		if exit, killed := p.end(); !killed && exit != 0 {
			t.Fatalf("killed at point %d of about %d it ended with %d: %s", at, points[0], exit, p.errors.String())
		}
		s.finish(t, complete)
		s.same(t, fmt.Sprintf("killed at point %d", at), want)
		if left := s.rows("SELECT key FROM stopover_note WHERE key LIKE 'cursor/%'"); len(left) > 0 {
			t.Errorf("killed at point %d: notes are left: %q", at, left)
		}
	}
}

// TestSpansAreWorkedOnSideBySide shows that there are several, that a run which
// is interrupted leaves them, and that status tells of them.
func TestSpansAreWorkedOnSideBySide(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 40_000, fillCurrency)
	ctx, cancel := context.WithCancel(wait(t))
	calls := 0
	a := s.app(func(c *Config) {
		c.Workers = 3
		c.Kinds = []storeKind{meddling(c.Kinds, s.kind, func() {
			if calls++; calls == 120 {
				cancel()
			}
		})}
	})
	if f := failedWith(t, func() error { _, err := a.Apply(ctx, ApplyOptions{}); return err }()); f.Exit != ExitInterrupted {
		t.Fatalf("an interrupted run ended with %+v", f)
	}
	begun := s.rows("SELECT key, value FROM stopover_note WHERE key LIKE 'cursor/0002_currency/backfill/%' AND value->>'at' IS NOT NULL")
	if len(begun) < 2 {
		t.Errorf("one span after the other: %q", begun)
	}
	status, err := s.app().Status(wait(t))
	if err != nil {
		t.Fatal(err)
	}
	if b := status.Stores[0].Begun; b == nil || b.Rows == 0 || b.Percent == 0 || !strings.Contains(b.Cursor, "of 12 spans") {
		t.Errorf("status says %+v", b)
	}
	s.finish(t, []string{"apply"})
	if got := s.one("SELECT count(*) FROM orders WHERE currency IS NULL"); got != "0" {
		t.Errorf("%s rows were missed", got)
	}
}

// TestCursorWithoutSpansGoesOn shows that a backfill which an older version has
// begun, with one cursor, is brought to its end from there.
func TestCursorWithoutSpansGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	crashStory(t, s, 16_000)
	s.open(s.url)
	s.finish(t, []string{"apply main:0004_cents.expand"})
	s.exec("UPDATE orders SET cents = substr(amount, 5)::bigint * 100, touched = 1 WHERE id <= 700",
		`INSERT INTO stopover_note (key, value) VALUES ('ledger/0004_cents/backfill', '{"begun": "2026-11-20T12:00:00Z"}')`,
		fmt.Sprintf(`INSERT INTO stopover_note (key, value) VALUES ('cursor/0004_cents/backfill', '{"at": %q, "rows": 700, "size": 500}')`,
			base64.StdEncoding.EncodeToString([]byte(`["700"]`))))
	s.finish(t, []string{"apply"})
	if got := s.one("SELECT count(*) FROM orders WHERE touched <> 1 OR cents IS NULL"); got != "0" {
		t.Errorf("%s rows were missed or changed twice", got)
	}
	if got := s.one("SELECT value->>'rows' FROM stopover_note WHERE key = 'ledger/0004_cents/backfill'"); got != "16000" {
		t.Errorf("the ledger counts %s rows", got)
	}
}

// TestThrottledFromElsewhere shows that a backfill is paused, slowed and let go
// on by another process, and that status says by whom.
func TestThrottledFromElsewhere(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 30_000, fillCurrency)
	yes, no, rate, workers := true, false, 15_000.0, 4
	other := s.app(func(c *Config) { c.Operator = "ana" })
	if _, err := other.Throttle(wait(t), ThrottleOptions{Paused: &yes}); err != nil {
		t.Fatal(err)
	}
	h, done := s.applies(t)
	eventually(t, func() bool { return h.count(wire.EventPaused, "by ana") > 0 })
	status, err := other.Status(wait(t))
	if err != nil || status.Stores[0].Control == nil || status.Stores[0].Control.Who != "ana" || !status.Stores[0].Control.Paused {
		t.Fatalf("status says %+v, %v", status.Stores[0].Control, err)
	}
	if got := s.one("SELECT count(*) FROM orders WHERE currency IS NOT NULL"); got != "0" {
		t.Errorf("%s rows were changed while it was paused", got)
	}
	begun := time.Now()
	doc, err := other.Throttle(wait(t), ThrottleOptions{Paused: &no, Rate: &rate, Workers: &workers})
	if err != nil || doc.Stores[0].Control.Workers != 4 || doc.Stores[0].Begun == nil {
		t.Fatalf("throttle says %+v, %v", doc, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < 1500*time.Millisecond {
		t.Errorf("30,000 rows at 15,000 a second took %s", took)
	}
	none, noRate := 0, 0.0
	if doc, err = other.Throttle(wait(t), ThrottleOptions{Rate: &noRate, Workers: &none}); err != nil || doc.Stores[0].Control != nil {
		t.Errorf("what is taken back is still there: %+v, %v", doc, err)
	}
	if left := s.rows("SELECT key FROM stopover_note WHERE key = 'control'"); len(left) > 0 {
		t.Error("the note is still there")
	}
}

// TestProbeSlowsABackfill shows that the application's own probe slows a
// backfill down with its reason, and never stops it.
func TestProbeSlowsABackfill(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 2_000, fillCurrency)
	s.exec("CREATE TABLE queue (depth int)", "INSERT INTO queue VALUES (40)")
	s.write("stopover.yaml", "application: shop\nstores:\n  main: {url: \"${file:url}\", kind: postgres, migrations: migrations, probe: SELECT depth FROM queue, probe_limit: \"30\"}\n")
	rate, noRate := 300.0, 0.0
	a := s.app()
	if _, err := a.Throttle(wait(t), ThrottleOptions{Rate: &rate}); err != nil { // or it is over before anybody looks
		t.Fatal(err)
	}
	h, done := s.applies(t)
	eventually(t, func() bool {
		return h.count(wire.EventPaused, "slowed to 200 rows/s: the probe says 40, the limit is 30") > 0
	})
	before := s.one("SELECT count(*) FROM orders WHERE currency IS NOT NULL")
	eventually(t, func() bool { return s.one("SELECT count(*) FROM orders WHERE currency IS NOT NULL") != before })
	s.exec("UPDATE queue SET depth = 2")
	eventually(t, func() bool { return h.count(wire.EventNote, "goes on") > 0 })
	if _, err := a.Throttle(wait(t), ThrottleOptions{Rate: &noRate}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestBackfillWaitsForReplicas shows that a backfill pauses while a replica is
// behind, says which, and goes on when it has caught up.
func TestBackfillWaitsForReplicas(t *testing.T) {
	t.Parallel()
	primary := testserver.OwnPostgres(t)
	s := newSite(t, "postgres")
	s.open(primary.NewURL(t))
	s.write("stopover.yaml", "application: shop\nstores:\n  main: {url: \"${file:url}\", kind: postgres, migrations: migrations, replica_backlog: 200kB}\n")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial}, cents bigint, currency text);\n")
	s.finish(t, []string{"init"})
	s.exec("INSERT INTO orders (cents) SELECT g FROM generate_series(1, 30000) g", "ANALYZE orders")
	s.migration("0002_currency", fillCurrency)
	standby, err := sql.Open("pgx", primary.Standby(t, "cluster_name=reports").URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	primary.Follows(t)
	replay := func(way string) {
		t.Helper()
		if _, err := standby.Exec("SELECT pg_wal_replay_" + way + "()"); err != nil {
			t.Fatal(err)
		}
	}
	replay("pause") // what the backfill writes is not replayed
	rate, noRate := 2000.0, 0.0
	a := s.app()
	if _, err := a.Throttle(wait(t), ThrottleOptions{Rate: &rate}); err != nil { // or it is over before anybody looks
		t.Fatal(err)
	}
	h, done := s.applies(t)
	eventually(t, func() bool { return h.count(wire.EventPaused, "replica reports is ") > 0 })
	if _, err := a.Throttle(wait(t), ThrottleOptions{Rate: &noRate}); err != nil {
		t.Fatal(err)
	}
	replay("resume")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if h.count(wire.EventNote, "goes on") == 0 {
		t.Error("it does not say that it goes on")
	}
	if got := s.one("SELECT count(*) FROM orders WHERE currency IS NULL"); got != "0" {
		t.Errorf("%s rows are not filled", got)
	}
}

// TestBackfillOutlastsOlderTransactions shows that a row which was inserted and
// not committed while its keys were gone through is not missed: the step is not
// done before that transaction has ended, and one that never ends stops it with
// its name.
func TestBackfillOutlastsOlderTransactions(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 1_000, fillCurrency)
	late := s.session("importer", "INSERT INTO orders (id, cents) VALUES (-1, 7)")
	a := s.app(func(c *Config) { c.DDLWait = 700 * time.Millisecond })
	_, err := a.Apply(wait(t), ApplyOptions{})
	if f := failedWith(t, err); f.Exit != ExitFailed || !strings.Contains(strings.Join(f.Detail.Evidence, " "), "importer") {
		t.Fatalf("with a transaction that does not end: %+v", f.Detail)
	}
	if got := s.one("SELECT count(*) FROM orders WHERE currency IS NULL"); got != "0" {
		t.Errorf("%s rows that can be seen are left", got)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.app().Apply(wait(t), ApplyOptions{})
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("the step was done before the transaction had ended (%v)", err)
	case <-time.After(300 * time.Millisecond): // it waits
	}
	s.end(late, "COMMIT")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := s.one("SELECT count(*) FROM orders WHERE currency IS NULL"); got != "0" {
		t.Error("the row that was committed late was missed")
	}
}

// TestTruncatedMeanwhile shows that a backfill whose table is emptied and filled
// anew under it comes to its end, and misses none of the new rows.
func TestTruncatedMeanwhile(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 30_000, fillCurrency)
	calls := 0
	a := s.app(func(c *Config) {
		c.Kinds = []storeKind{meddling(c.Kinds, s.kind, func() {
			if calls++; calls == 10 {
				s.exec("TRUNCATE orders", "INSERT INTO orders (id, cents) SELECT g, g FROM generate_series(1, 500) g")
			}
		})}
	})
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if calls < 10 {
		t.Fatalf("only %d stretches", calls)
	}
	if got := s.one("SELECT count(*) || ' ' || count(currency) FROM orders"); got != "500 500" {
		t.Errorf("rows, and filled ones: %s", got)
	}
}

// TestPlanForeseesWhatStops shows that a plan tells of a rewrite and of a
// backfill's cost before they run.
func TestPlanForeseesWhatStops(t *testing.T) {
	t.Parallel()
	s := liveSite(t, 20_000, "-- stopover: expand\nALTER TABLE orders ALTER COLUMN id TYPE numeric;\n"+fillCurrency)
	doc, err := s.app().Plan(wait(t), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	actions := doc.Legs[0].Actions
	rewrite, fill := actions[0].Estimate, actions[1].Estimate
	if rewrite == nil || rewrite.Rows != 20_000 || !strings.Contains(rewrite.Note, "rewrites the table") || !strings.Contains(rewrite.Note, "orders has 1.") {
		t.Errorf("the rewrite: %+v", rewrite)
	}
	if fill == nil || fill.Rows != 20_000 || fill.Seconds != 1 || fill.Log < 14_000_000 || fill.Bytes < 500_000 {
		t.Errorf("the backfill: %+v", fill)
	}
}
