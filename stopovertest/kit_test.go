package stopovertest_test

import (
	"os"
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

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// backoffs is the schema of a job queue over the release that added one
// nullable column.
func backoffs(kind string) stopover.Config {
	files := map[string]string{
		"stopover.yaml": "stores: {main: {url: \"${NEVER_OPENED}\", kind: " + kind + ", migrations: m}}\n",
		"m/1672749980_backoff.sql": `-- stopover: expand
CREATE TABLE work_backoff (machine text NOT NULL, process text NOT NULL, cause text NOT NULL);
-- stopover: undo-expand
DROP TABLE work_backoff;
`,
		"m/1681826233_exponential_backoff.sql": `-- stopover: expand
ALTER TABLE work_backoff ADD COLUMN last_interval_seconds bigint;
-- stopover: undo-expand
ALTER TABLE work_backoff DROP COLUMN last_interval_seconds;
`,
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return stopover.Config{Files: fsys, Kinds: []store.Kind{sqlite.Kind(), postgres.Kind()}}
}

func open(t *testing.T, kind string) *stopovertest.Kit {
	servers := map[string]string{}
	if kind == "postgres" {
		servers["main"] = testserver.Postgres(t).NewURL(t)
	}
	return stopovertest.Open(t, backoffs(kind), servers)
}

// TestRollingWindow is what a team writes to show that the releases on both
// sides of a migration can be alive together (A7).
func TestRollingWindow(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			const oldInsert = "INSERT INTO work_backoff (machine, process, cause) VALUES ('m', 'p', 'test')"
			k := open(t, kind)
			k.To("main:1672749980_backoff")
			k.Exec("main", oldInsert)
			k.To("")
			if got := k.Rows("main", "SELECT machine FROM work_backoff WHERE last_interval_seconds IS NULL"); len(got) != 1 {
				t.Errorf("the old row came over as %v", got)
			}
			k.Exec("main", oldInsert)
			k.Exec("main", "INSERT INTO work_backoff VALUES ('m', 'p', 'test', 7)")
			if got := k.Rows("main", "SELECT machine, process, cause FROM work_backoff"); len(got) != 3 {
				t.Errorf("old code reads %v", got)
			}
		})
	}
}

// TestThereAndBackAndThere leaves the same structure each time (A8).
func TestThereAndBackAndThere(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			k := open(t, kind)
			empty := k.Structure("main")
			k.To("main:1672749980_backoff")
			lower := k.Structure("main")
			k.To("")
			upper := k.Structure("main")
			if slices.Equal(lower, upper) || slices.Equal(lower, empty) {
				t.Fatal("the structures cannot be told apart")
			}
			k.Back("main:1672749980_backoff")
			if got := k.Structure("main"); !slices.Equal(got, lower) {
				t.Errorf("back at the lower position there is %v, was %v", got, lower)
			}
			k.To("")
			if got := k.Structure("main"); !slices.Equal(got, upper) {
				t.Errorf("at the upper position again there is %v, was %v", got, upper)
			}
			k.Back("main:none")
			if got := k.Structure("main"); !slices.Equal(got, empty) {
				t.Errorf("back at the beginning there is %v", got)
			}
		})
	}
}

func TestReset(t *testing.T) {
	k := open(t, "sqlite")
	k.To("")
	k.Reset()
	if err := k.Fails("main", "SELECT * FROM work_backoff"); !strings.Contains(err.Error(), "work_backoff") {
		t.Errorf("it failed for another reason: %v", err)
	}
	k.To("")
	k.Exec("main", "INSERT INTO work_backoff VALUES ('m', 'p', 'test', 7)")
}

// TestResetRefusesRealStores opens a kit over a store that the application has
// open: it must not come near it.
func TestResetRefusesRealStores(t *testing.T) {
	cfg := backoffs("sqlite")
	real, err := sqlite.Kind().Open(t.Context(), store.Settings{Name: "main", URL: "sqlite:" + t.TempDir() + "/real.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = real.Close() }()
	cfg.Stores = map[string]store.Store{"main": real}
	watched := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }() // Fatal of the recorder ends the call so
		stopovertest.Open(watched, cfg, nil)
	}()
	if !strings.Contains(watched.fatal, "may be real") {
		t.Errorf("a kit was opened over a real store: %q", watched.fatal)
	}
	if survey, err := real.Survey(t.Context()); err != nil || survey.Stamped {
		t.Errorf("the real store was touched: %+v, %v", survey, err)
	}
}

type recorder struct {
	testing.TB
	fatal string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(args ...any) {
	r.fatal, _ = args[0].(string)
	panic("fatal")
}
