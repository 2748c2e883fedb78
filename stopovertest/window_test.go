package stopovertest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/stopovertest"
	"github.com/stopover-dev/stopover/store"
)

// currencies is a change over two releases: 1.5 writes both columns, 1.6 reads
// the new one.
func currencies(t *testing.T, kind, backfill string) *stopovertest.Kit {
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{
		"stopover.yaml":     "stores: {main: {url: \"${NEVER_OPENED}\", kind: " + kind + ", migrations: m}}\nreleases: [\"1.4\", \"1.5\", \"1.6\"]\n",
		"m/0001_orders.sql": "-- stopover: expand\nCREATE TABLE orders (id integer PRIMARY KEY, code text NOT NULL);\n-- stopover: undo-expand\nDROP TABLE orders;\n",
		"m/0002_currency.sql": `-- stopover: expand needs=1.5
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: backfill ` + backfill + ` needs=1.6
UPDATE orders SET currency = code WHERE currency IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;
-- stopover: contract writers=1.6 readers=1.6
ALTER TABLE orders DROP COLUMN code;
-- stopover: undo-backfill
-- stopover: undo-expand
ALTER TABLE orders DROP COLUMN currency;
`,
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	servers := map[string]string{}
	if kind == "postgres" {
		servers["main"] = testserver.Postgres(t).NewURL(t)
	}
	fsys["m/0002_currency.sql"].Data = []byte(strings.Replace(string(fsys["m/0002_currency.sql"].Data), "-- stopover: undo-backfill\n", "", 1))
	return stopovertest.Open(t, stopover.Config{Files: fsys, Kinds: []store.Kind{sqlite.Kind(), postgres.Kind()}}, servers)
}

var numbered = "(SELECT coalesce(max(id), 0) + 1 FROM orders)"

func TestWindow(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			k := currencies(t, kind, "writers=1.5")
			file := filepath.Join(t.TempDir(), "windows.json")
			window := stopovertest.Window{Store: "main", From: "main:0001_orders", Record: file,
				Old: stopovertest.Code{Release: "1.4", Writes: []string{"INSERT INTO orders (id, code) VALUES (" + numbered + ", 'EUR')"}, Reads: []string{"SELECT code FROM orders"}},
				New: stopovertest.Code{Release: "1.5", Writes: []string{"INSERT INTO orders (id, code, currency) VALUES (" + numbered + ", 'USD', 'USD')"}, Reads: []string{"SELECT code FROM orders"}}}
			got := k.Window(window)
			all := []string{"main:0002_currency.expand", "main:0002_currency.backfill", "main:0002_currency.verify"}
			if !slices.Equal(got.OldWorks, all) || !slices.Equal(got.NewWorks, all) {
				t.Errorf("old code works behind %q and new code behind %q", got.OldWorks, got.NewWorks)
			}
			if len(got.Propose) != 2 || !strings.HasPrefix(got.Propose[0], "main:0002_currency.backfill: writers=1.4 readers=1.4 would do") {
				t.Errorf("it proposes %q", got.Propose)
			}
			window.Old.Release = "1.5"
			k.Window(window) // a second entry
			window.Old.Release = "1.4"
			k.Window(window) // in place of the first
			text, err := os.ReadFile(file)
			var recorded []stopovertest.Tested
			if err != nil || json.Unmarshal(text, &recorded) != nil || len(recorded) != 2 || recorded[1].Old != "1.4" {
				t.Errorf("it recorded %s, %v", text, err)
			}
		})
	}
}

// TestWindowFindsCodeThatFails has a new release that is let in where its column
// is not there yet, and old code that does not find what it reads.
func TestWindowFindsCodeThatFails(t *testing.T) {
	k := currencies(t, "sqlite", "")
	for _, c := range []struct{ old, fresh, says string }{
		{"SELECT code FROM orders WHERE code = 'none'", "SELECT code FROM orders", "1.4 may be alive at main:0001_orders, and its code fails: SELECT code FROM orders WHERE code = 'none': it finds nothing"},
		{"SELECT code FROM orders", "SELECT nothing FROM orders", "1.5 may be alive behind main:0002_currency.expand, and its code fails"},
	} {
		watched := &failures{TB: t}
		stopovertest.Watching(k, watched, func(k *stopovertest.Kit) {
			k.Window(stopovertest.Window{Store: "main", From: "main:0001_orders",
				Old: stopovertest.Code{Release: "1.4", Writes: []string{"INSERT INTO orders (id, code) VALUES (" + numbered + ", 'EUR')"}, Reads: []string{c.old}},
				New: stopovertest.Code{Release: "1.5", Reads: []string{c.fresh}}})
		})
		if len(watched.lines) == 0 || !strings.Contains(strings.Join(watched.lines, "\n"), c.says) {
			t.Errorf("it says %q, not %q", watched.lines, c.says)
		}
	}
}

type failures struct {
	testing.TB
	lines []string
}

func (f *failures) Helper() {}
func (f *failures) Errorf(format string, args ...any) {
	f.lines = append(f.lines, fmt.Sprintf(format, args...))
}

// TestKill plays every death of a migration: the next run comes to the same end.
func TestKill(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			k := currencies(t, kind, "")
			points, stride := 0, 1
			if kind == "postgres" {
				stride = 3 // each begins with a database of its own
			}
			for point, died := 1, true; died; point += stride {
				k.Reset()
				k.To("main:0001_orders")
				k.Exec("main", "INSERT INTO orders (id, code) VALUES (1, 'EUR'), (2, 'USD')")
				died = k.Kill("main:0002_currency", point)
				k.To("main:0002_currency")
				if got := k.Rows("main", "SELECT id FROM orders WHERE currency = code"); len(got) != 2 {
					t.Fatalf("dead at point %d: %d of 2 rows are filled", point, len(got))
				}
				points = point
			}
			if points < 8 {
				t.Errorf("there were %d points only", points)
			}
		})
	}
}
