package stopover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/stopover-dev/stopover/internal/wire"
)

// mirrorStory is a store in use whose next migration has a mirror: the old code
// of an order is 'EUR', the new one 'c:EUR'. Backfill and verification follow
// from it. contract may be "contract each".
func mirrorStory(t *testing.T, s *site, orders int, contract string) template {
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id bigint PRIMARY KEY, cur_code text NOT NULL);\n")
	s.migration("0002_seed", fmt.Sprintf("-- stopover: expand\nINSERT INTO orders SELECT -i, 'EUR' FROM generate_series(1, %d) i;\n", orders))
	s.finish(t, []string{"init"})
	s.migration("0003_currency", `-- stopover: expand
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: mirror table=orders old=cur_code new=currency up="'c:' || cur_code" down="substr(currency, 3)"
-- stopover: `+contract+`
ALTER TABLE orders DROP COLUMN cur_code;
CREATE INDEX orders_currency ON orders (currency);
-- stopover: undo-expand
ALTER TABLE orders DROP COLUMN currency;
`)
	return s.template()
}

// mirrorLeftovers finds what a mirror leaves behind.
const mirrorLeftovers = `SELECT proname FROM pg_proc WHERE proname LIKE '%mirror%' UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE '%mirror%'`

// The sides that may be written: by old releases, by both, by new ones.
const (
	onlyOld = iota
	bothSides
	onlyNew
)

// writer writes rows of its own, with the statements of old and of new code in
// turn, and knows what each of them has to see.
type writer struct {
	db     *sql.DB
	random *rand.Rand
	first  int64 // of its keys; it has ten
	sides  *atomic.Int32
	model  map[int64]string // the old code's value; the new one's has "c:" before it
	writes int
}

// write makes one change, or several in one COPY, and looks at what both see.
func (w *writer) write(ctx context.Context) error {
	id := w.first + w.random.Int64N(10)
	value := fmt.Sprintf("V%d", w.random.IntN(1000))
	column, shown := "cur_code", value
	switch sides := w.sides.Load(); {
	case sides == onlyNew, sides == bothSides && w.random.IntN(2) == 0:
		column, shown = "currency", "c:"+value
	}
	w.writes++
	_, there := w.model[id]
	var err error
	switch n := w.random.IntN(10); {
	case n == 0 && there:
		delete(w.model, id)
		_, err = w.db.ExecContext(ctx, "DELETE FROM orders WHERE id = $1", id)
	case n == 1 && !there:
		w.model[id] = value
		err = w.copy(ctx, column, id, shown)
	case n < 5:
		w.model[id] = value
		_, err = w.db.ExecContext(ctx, "INSERT INTO orders (id, "+column+") VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET "+column+" = EXCLUDED."+column, id, shown)
	case there:
		w.model[id] = value
		_, err = w.db.ExecContext(ctx, "UPDATE orders SET "+column+" = $2 WHERE id = $1", id, shown)
	default:
		w.model[id] = value
		_, err = w.db.ExecContext(ctx, "INSERT INTO orders (id, "+column+") VALUES ($1, $2)", id, shown)
	}
	if err != nil {
		return fmt.Errorf("write %s of %d: %w", column, id, err)
	}
	return w.look(ctx, column, id)
}

// copy inserts by COPY, as a loader does.
func (w *writer) copy(ctx context.Context, column string, id int64, value string) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		pg := driver.(*stdlib.Conn).Conn().PgConn()
		_, err := pg.CopyFrom(ctx, strings.NewReader(fmt.Sprintf("%d\t%s\n", id, value)), "COPY orders (id, "+column+") FROM STDIN")
		return err
	})
}

// look compares one row with the model, as the other side sees it too.
func (w *writer) look(ctx context.Context, column string, id int64) error {
	columns := "'', currency"
	switch w.sides.Load() {
	case onlyOld:
		columns = "cur_code, ''"
	case bothSides:
		columns = "cur_code, currency"
	}
	var old, fresh sql.NullString
	err := w.db.QueryRowContext(ctx, "SELECT "+columns+" FROM orders WHERE id = $1", id).Scan(&old, &fresh)
	value, there := w.model[id]
	switch {
	case errors.Is(err, sql.ErrNoRows) && !there:
	case err != nil:
		return fmt.Errorf("look at %d: %w", id, err)
	case !there, columns != "'', currency" && old.String != value, columns != "cur_code, ''" && fresh.String != "c:"+value:
		return fmt.Errorf("after a write of %s of %d old code sees %q and new code %q; want %q", column, id, old.String, fresh.String, value)
	}
	return nil
}

// writers run until stop, which gives what all of them wrote, by key.
func writers(t *testing.T, s *site, sides *atomic.Int32) (stop func() map[int64]string) {
	t.Helper()
	ctx, cancel := context.WithCancel(wait(t))
	var all []*writer
	var group sync.WaitGroup
	for i := range 3 {
		w := &writer{db: s.db, random: rand.New(rand.NewPCG(7, uint64(i))), first: int64(100 * (i + 1)), sides: sides, model: map[int64]string{}}
		all = append(all, w)
		group.Go(func() {
			for ctx.Err() == nil || w.writes < 5 { // on a slow machine the step is over sooner
				if err := w.write(context.WithoutCancel(ctx)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return func() map[int64]string {
		cancel()
		group.Wait()
		model := map[int64]string{}
		for _, w := range all {
			for id, value := range w.model {
				model[id] = value
			}
		}
		return model
	}
}

// TestMirrorWindow has old and new code write the same rows from before the
// expand until after the contract: what one writes the other sees, at once, and
// nothing is lost.
func TestMirrorWindow(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	mirrorStory(t, s, 3000, "contract")
	s.open(s.url)
	var sides atomic.Int32
	stop := writers(t, s, &sides)
	a := s.app(func(c *Config) {
		c.Events = func(e Event) {
			if e.Kind == wire.EventDone && e.Step == "expand" {
				sides.Store(bothSides)
			}
		}
	})
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	model := stop()
	want := []string{}
	for id, value := range model {
		want = append(want, fmt.Sprintf("%d %s c:%s", id, value, value))
	}
	slices.Sort(want)
	got := s.rows("SELECT id || ' ' || cur_code || ' ' || currency FROM orders WHERE id > 0")
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	if n := s.one("SELECT count(*) FROM orders WHERE id < 0 AND currency = 'c:EUR' AND cur_code = 'EUR'"); n != "3000" {
		t.Errorf("%s of 3000 old rows are filled", n)
	}
	s.exec("DELETE FROM orders WHERE id > 0")
	sides.Store(onlyNew)
	stop = writers(t, s, &sides)
	if _, err := s.app().Cleanup(wait(t), CleanupOptions{}); err != nil {
		t.Fatal(err)
	}
	model = stop()
	if n := s.one("SELECT count(*) FROM orders WHERE id > 0"); n != fmt.Sprint(len(model)) {
		t.Errorf("%s rows, want %d", n, len(model))
	}
	if left := s.rows(mirrorLeftovers); len(left) > 0 {
		t.Errorf("the contract left %q", left)
	}
}

// TestMirrorKilled kills the run at points of writing notes, with a contract
// that goes statement by statement: the next run ends with the same store.
func TestMirrorKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	from := mirrorStory(t, s, 300, "contract each")
	want, points := s.reference(t, from)
	for i, command := range complete {
		stride := 1
		if command == "apply" {
			stride = 4
		}
		for at := 1 + stride/2; at <= points[i]; at += stride {
			s.restore(from)
			s.finish(t, complete[:i])
			p := start(t, errand{Dir: s.dir, Command: command, KillAt: at, TTL: shortTTL})
			if exit, killed := p.end(); !killed {
				if exit == 0 && at > points[i]/2 {
					break
				}
				t.Fatalf("%s at point %d of %d ended with %d: %s", command, at, points[i], exit, p.errors.String())
			}
			s.finish(t, complete[i:])
			s.same(t, fmt.Sprintf("%s killed at point %d", command, at), want)
			if left := s.rows(mirrorLeftovers); len(left) > 0 {
				t.Fatalf("%s killed at point %d left %q", command, at, left)
			}
		}
	}
}

// TestMirrorTakenBack shows that a rollback loses nothing that new code wrote,
// and takes the mirror away; and that the migration can be applied again.
func TestMirrorTakenBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	mirrorStory(t, s, 10, "contract")
	s.open(s.url)
	for range 2 {
		s.finish(t, []string{"apply"})
		s.exec("UPDATE orders SET currency = 'c:CHF' WHERE id = -1", "INSERT INTO orders (id, currency) VALUES (1, 'c:USD') ON CONFLICT (id) DO NOTHING")
		s.finish(t, []string{"rollback main:0002_seed"})
		if got := s.rows("SELECT cur_code FROM orders WHERE id IN (-1, 1) ORDER BY id"); !slices.Equal(got, []string{"CHF", "USD"}) {
			t.Errorf("old code sees %q", got)
		}
		if left := s.rows(mirrorLeftovers); len(left) > 0 {
			t.Errorf("the rollback left %q", left)
		}
	}
	s.finish(t, complete)
}

// TestMirrorAtOdds shows that rows of which nobody can tell which side is right
// are not overwritten: the verification names them, and there is no contract.
func TestMirrorAtOdds(t *testing.T) {
	t.Parallel()
	s := newSite(t, "postgres")
	mirrorStory(t, s, 10, "contract")
	s.open(s.url)
	s.finish(t, []string{"apply"})
	s.exec("ALTER TABLE orders DISABLE TRIGGER USER", "UPDATE orders SET currency = 'c:CHF' WHERE id = -1",
		"ALTER TABLE orders ENABLE ALWAYS TRIGGER zz_stopover_mirror_0003_currency_insert, ENABLE ALWAYS TRIGGER zz_stopover_mirror_0003_currency_update")
	_, err := s.app().Cleanup(wait(t), CleanupOptions{})
	var f *Failure
	if !errors.As(err, &f) || f.Exit != ExitViolated {
		t.Fatalf("cleanup ended with %v", err)
	}
	if got := s.one("SELECT cur_code || currency FROM orders WHERE id = -1"); got != "EURc:CHF" {
		t.Errorf("the row became %s", got)
	}
	s.exec("UPDATE orders SET cur_code = 'CHF' WHERE id = -1")
	s.finish(t, []string{"cleanup"})
}

// TestMirrorRefusedBySQLite names the reason and the place.
func TestMirrorRefusedBySQLite(t *testing.T) {
	t.Parallel()
	s := newSite(t, "sqlite")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id integer PRIMARY KEY, a text, b text);\n-- stopover: mirror table=orders old=a new=b\n-- stopover: contract\nALTER TABLE orders DROP COLUMN a;\n")
	lint, err := s.app().Lint(wait(t), LintOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(lint.Problems) == 0 || lint.Problems[0].Line != 3 || !strings.Contains(lint.Problems[0].Message, "SQLite has no trigger that can change a row on its way into the table") {
		t.Errorf("lint says %+v", lint.Problems)
	}
}
