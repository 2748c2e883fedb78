package stopover

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/wire"
)

// failed runs apply and gives the failure that it must end with.
func failed(t *testing.T, a *App, exit int) *Failure {
	t.Helper()
	_, err := a.Apply(wait(t), ApplyOptions{})
	var f *Failure
	if !errors.As(err, &f) || f.Exit != exit {
		t.Fatalf("apply ended with %v, want exit %d", err, exit)
	}
	if len(f.Next) == 0 && exit != ExitInterrupted {
		t.Errorf("%v does not say what to type next", err)
	}
	return f
}

// TestThirdOfFour fails at the third of four statements that run one by one:
// what has run stays and is not run again, the rest may be mended.
func TestThirdOfFour(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE marks (step text NOT NULL);\n")
		s.finish(t, []string{"init"})
		file := func(second, third string) {
			s.migration("0002_four", "-- stopover: expand each\nINSERT INTO marks VALUES ('1');\n"+second+";\n"+third+";\nINSERT INTO marks VALUES ('4');\n")
		}
		file("INSERT INTO marks VALUES ('2')", "INSERT INTO nowhere VALUES ('3')")
		f := failed(t, s.app(), ExitFailed)
		if f.Detail.Line != 4 || f.Detail.Statement != 3 || f.Detail.Migration != "0002_four" || !strings.Contains(f.Detail.SQL, "nowhere") {
			t.Errorf("the failure does not name its place: %+v", f.Detail)
		}
		if got := s.rows("SELECT step FROM marks ORDER BY step"); !slices.Equal(got, []string{"1", "2"}) {
			t.Fatalf("after the failure there is %v", got)
		}
		file("INSERT INTO marks VALUES ('two')", "INSERT INTO marks VALUES ('3')")
		f = failed(t, s.app(), ExitRefused)
		if f.Detail.Kind != wire.KindEdited || f.Detail.Line != 3 {
			t.Errorf("a statement that has run was edited, and the failure is %+v", f.Detail)
		}
		file("INSERT INTO marks VALUES ('2')", "INSERT INTO marks VALUES ('3')")
		s.finish(t, []string{"apply"})
		if got := s.rows("SELECT step FROM marks ORDER BY step"); !slices.Equal(got, []string{"1", "2", "3", "4"}) {
			t.Errorf("in the end there is %v", got)
		}
	})
}

// TestFailureInOneTransaction leaves nothing, and a retry after mending the file
// needs nothing else (A2).
func TestFailureInOneTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial});\nINSERT INTO orders (id) VALUES (1);\n")
		s.finish(t, []string{"init"})
		before, ledger := s.picture(), s.ledger()
		s.migration("0002_bad", "-- stopover: expand\nCREATE TABLE other (a int);\nINSERT INTO other VALUES (1);\nINSERT INTO nowhere VALUES (1);\n")
		failed(t, s.app(), ExitFailed)
		if got := s.picture(); !slices.Equal(got, before) {
			t.Errorf("the failed step left %v", got)
		}
		if got := s.ledger(); !slices.Equal(got[:len(ledger)], ledger) || !strings.HasSuffix(got[len(got)-1], "pending") {
			t.Errorf("the ledger says %v", got)
		}
		s.migration("0002_bad", "-- stopover: expand\nCREATE TABLE other (a int);\n")
		s.finish(t, []string{"apply"})
	})
}

// TestNotNullOnATableWithRows is refused while the store is untouched (A2).
func TestNotNullOnATableWithRows(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial});\nINSERT INTO orders (id) VALUES (1);\n")
		s.finish(t, []string{"init"})
		before := s.picture()
		s.migration("0002_before", "-- stopover: expand\nCREATE TABLE other (a int);\n")
		s.migration("0003_bad", "-- stopover: expand\nALTER TABLE orders ADD COLUMN code text NOT NULL;\n")
		f := failed(t, s.app(), ExitRefused)
		if f.Detail.Migration != "0003_bad" || f.Detail.Line != 2 {
			t.Errorf("the refusal does not name its place: %+v", f.Detail)
		}
		if got := s.picture(); !slices.Equal(got, before) {
			t.Errorf("the store was touched: %v", got)
		}
	})
}

// TestInvalidIndexIsBuiltAgain leaves the remains of a concurrent index, as a
// failure or a death does, and shows that the next run takes them away.
func TestInvalidIndexIsBuiltAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial}, code text);\nINSERT INTO orders (code) VALUES ('a'), ('a'), ('b');\n")
	s.finish(t, []string{"init"})
	s.migration("0002_index", "-- stopover: expand\nCREATE UNIQUE INDEX CONCURRENTLY orders_code ON orders (code);\n")
	failed(t, s.app(), ExitFailed)
	const valid = "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = 'orders_code'::regclass"
	if got := s.one(valid); got != "false" {
		t.Fatalf("the failed index is valid: %s", got)
	}
	s.exec("DELETE FROM orders WHERE id = 2")
	repaired := false
	a := s.app(func(c *Config) {
		c.Events = func(e Event) { repaired = repaired || e.Kind == wire.EventRepaired }
	})
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := s.one(valid); got != "true" || !repaired {
		t.Errorf("valid %s, repaired %v", got, repaired)
	}
}

// TestIndexOfADeadRunner kills a runner while it builds an index concurrently:
// the session that it leaves is ended, and the index is built.
func TestIndexOfADeadRunner(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id {serial}, code text);\nINSERT INTO orders (code) SELECT 'c' || i FROM generate_series(1, 50000) i;\n")
	s.finish(t, []string{"init"})
	s.migration("0002_index", "-- stopover: expand\nCREATE INDEX CONCURRENTLY orders_code ON orders (code);\n")
	// A transaction of the application that is older holds the build back, so
	// that it is still at it when its runner dies.
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("UPDATE orders SET code = 'x' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	p := start(t, errand{Dir: s.dir, Command: "apply", TTL: shortTTL, Tell: true})
	p.await(t, wire.EventProgress, "expand")
	const building = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active'"
	eventually(t, func() bool { return s.one(building) == "1" })
	_ = p.Process.Kill()
	p.end()
	done := make(chan error, 1)
	go func() {
		cfg := testConfig(s.dir)
		cfg.leaseTTL = shortTTL
		done <- carryOut(cfg, "apply")
	}()
	eventually(t, func() bool {
		return s.one("SELECT count(*) FROM stopover_note WHERE key = 'epoch' AND value->>'epoch' = '3'") == "1"
	})
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := s.one("SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = 'orders_code'::regclass"); got != "true" {
		t.Error("the index is not valid")
	}
	if got := s.one("SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'"); got != "2" {
		t.Errorf("there are %s indexes", got)
	}
}
