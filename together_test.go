package stopover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
)

// TestEightStartAtOnce shows G2: eight processes on an empty store all succeed,
// and each step runs once.
func TestEightStartAtOnce(t *testing.T) {
	for _, command := range []string{"init", "apply"} {
		t.Run(command, func(t *testing.T) {
			onBoth(t, func(t *testing.T, s *site) {
				s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE marks (step text NOT NULL);\nINSERT INTO marks VALUES ('0001');\n")
				for n := 2; n <= 9; n++ {
					s.migration(fmt.Sprintf("%04d_more", n), fmt.Sprintf("-- stopover: expand\nCREATE TABLE t%d (a int);\nINSERT INTO marks VALUES ('%04d');\n", n, n))
				}
				var children []*process
				for range 8 {
					children = append(children, start(t, errand{Dir: s.dir, Command: command, TTL: 5 * time.Second}))
				}
				for _, p := range children {
					if exit, _ := p.end(); exit != 0 {
						t.Errorf("one of eight ended with %d: %s", exit, p.errors.String())
					}
				}
				want := []string{"0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009"}
				if got := s.rows("SELECT step FROM marks ORDER BY step"); !slices.Equal(got, want) {
					t.Errorf("the steps ran %v", got)
				}
			})
		})
	}
}

// TestStoppedHolder shows G3 and A5: a holder that is stopped in the middle of a
// backfill loses the lease, another one finishes, and the first one, woken up,
// changes nothing any more and says why it ends.
//
// On SQLite a holder that is stopped within a transaction has the file locked,
// for everybody, until it is woken: then the other one waits, and whoever is
// first finishes.
func TestStoppedHolder(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		from := crashStory(t, s, 60_000)
		want, _ := s.reference(t, from)
		for round := range 5 {
			s.restore(from)
			p := start(t, errand{Dir: s.dir, Command: "apply", TTL: shortTTL, Tell: true})
			p.await(t, wire.EventBegun, "backfill")
			time.Sleep(time.Duration(round) * 11 * time.Millisecond) // each round stops it elsewhere
			if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			woken := make(chan error, 1)
			wake := func() { woken <- p.Process.Signal(syscall.SIGCONT) }
			if s.kind == "sqlite" {
				time.AfterFunc(4*shortTTL, wake)
			}
			s.finish(t, complete)
			if s.kind == "postgres" {
				wake()
			}
			if err := <-woken; err != nil {
				t.Fatal(err)
			}
			if exit, _ := p.end(); exit != 1 && s.kind == "postgres" {
				t.Errorf("round %d: the displaced runner ended with %d: %s", round, exit, p.errors.String())
			}
			s.same(t, fmt.Sprintf("round %d, after the displaced runner woke up", round), want)
		}
	})
}

// TestLiveHolderIsWaitedFor shows that a holder that renews is never robbed,
// however long it takes.
func TestLiveHolderIsWaitedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE a (a int);\n")
		s.finish(t, []string{"apply"})
		s.migration("0002_more", "-- stopover: expand\nCREATE TABLE b (a int);\n")
		holder := s.app()
		st, err := holder.connect(wait(t), holder.store("main"))
		if err != nil {
			t.Fatal(err)
		}
		lease, err := book.Acquire(wait(t), st, book.Ask{Host: "laptop-7", PID: 311, Operator: "ana", TTL: shortTTL})
		if err != nil {
			t.Fatal(err)
		}
		var waited []string
		a := s.app(func(c *Config) {
			c.leaseTTL, c.LockWait = shortTTL, 4*shortTTL
			c.Events = func(e Event) {
				if e.Kind == wire.EventWaiting {
					waited = append(waited, e.Text)
				}
			}
		})
		_, err = a.Apply(wait(t), ApplyOptions{})
		var f *Failure
		if !errors.As(err, &f) || f.Exit != ExitRefused || f.Detail.Kind != wire.KindHeld {
			t.Fatalf("with a live holder apply ended with %v", err)
		}
		if len(waited) == 0 || !strings.Contains(waited[0], "laptop-7 (pid 311, ana") {
			t.Errorf("nobody was told for whom it waits: %q", waited)
		}
		lease.Release()
		if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
			t.Fatalf("after the holder gave the lease back: %v", err)
		}
	})
}

// TestRowsBehindTheCursor shows that rows which old code writes behind the
// backfill's cursor are found by verify and swept again.
func TestRowsBehindTheCursor(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial}, cur_code text NOT NULL);\n"+
			"INSERT INTO orders (id, cur_code) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, 'EUR' FROM n;\n")
		s.finish(t, []string{"init"})
		s.migration("0002_currency", `-- stopover: expand
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: backfill table=orders
UPDATE orders SET currency = cur_code WHERE currency IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;
-- stopover: contract
ALTER TABLE orders DROP COLUMN cur_code;
`)
		written := 0
		a := s.app(func(c *Config) {
			c.Kinds = []storeKind{meddling(c.Kinds, s.kind, func() {
				if written < 2 { // behind the cursor: smaller keys than any
					written++
					s.exec(fmt.Sprintf("INSERT INTO orders (id, cur_code) VALUES (%d, 'CHF')", -written))
				}
			})}
		})
		report, err := a.Apply(wait(t), ApplyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if written == 0 {
			t.Fatal("nothing was written meanwhile")
		}
		if got := s.one("SELECT count(*) FROM orders WHERE currency IS NULL"); got != "0" {
			t.Errorf("%s rows were missed", got)
		}
		swept := 0
		for _, deed := range report.Did {
			swept += deed.Swept
		}
		if swept == 0 {
			t.Error("no sweep was reported")
		}
	})
}

// TestServerRestartsDuringBackfill shows that a runner outlives a server that
// restarts, by itself.
func TestServerRestartsDuringBackfill(t *testing.T) {
	t.Parallel()
	server := testserver.OwnPostgres(t)
	s := &site{t: t, kind: "postgres", dir: t.TempDir()}
	s.open(server.NewURL(t))
	s.write("stopover.yaml", "application: shop\nstores:\n  main: {url: \"${file:url}\", migrations: migrations}\n")
	from := crashStory(t, s, 60_000)
	_ = from
	s.open(s.url)
	restarts := 0
	a := s.app(func(c *Config) {
		calls := 0
		c.Kinds = []storeKind{meddling(c.Kinds, s.kind, func() {
			if calls++; calls == 2 || calls == 4 {
				server.Restart(t)
				restarts++
			}
		})}
	})
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatalf("apply over %d restarts: %v", restarts, err)
	}
	if restarts == 0 {
		t.Fatal("the server was not restarted")
	}
	if got := s.one("SELECT count(*) FROM orders WHERE touched <> 1 OR cents IS NULL"); got != "0" {
		t.Errorf("%s rows were missed or changed twice", got)
	}
}

// TestInterrupted shows that a run that is interrupted gives the lease back and
// says that what is done stays, and that the next one goes on.
func TestInterrupted(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		crashStory(t, s, 20_000)
		s.open(s.url)
		ctx, cancel := context.WithCancel(wait(t))
		calls := 0
		a := s.app(func(c *Config) {
			c.Kinds = []storeKind{meddling(c.Kinds, s.kind, func() {
				if calls++; calls == 3 {
					cancel()
				}
			})}
		})
		_, err := a.Apply(ctx, ApplyOptions{})
		var f *Failure
		if !errors.As(err, &f) || f.Exit != ExitInterrupted {
			t.Fatalf("an interrupted apply ended with %v", err)
		}
		status, err := s.app().Status(wait(t))
		if err != nil {
			t.Fatal(err)
		}
		if status.Stores[0].Lease != nil {
			t.Errorf("the lease was not given back: %+v", status.Stores[0].Lease)
		}
		if status.Stores[0].Begun == nil || status.Stores[0].Begun.Rows == 0 {
			t.Errorf("status does not show how far the backfill got: %+v", status.Stores[0].Begun)
		}
		s.finish(t, complete)
		if got := s.one("SELECT count(*) FROM orders WHERE touched <> 1 OR cents IS NULL"); got != "0" {
			t.Errorf("%s rows were missed or changed twice", got)
		}
	})
}
