package stopover

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stopover-dev/stopover/internal/ui"
	"github.com/stopover-dev/stopover/plan"
)

// FuzzPaper plans with any catalogue, any migration and any assumption, and
// shows what comes out. Whatever they hold, it ends with a document or with a
// Failure, never with a panic, and a way that is found is true after every
// action.
func FuzzPaper(f *testing.F) {
	seeds, err := filepath.Glob("examples/routes/*/stopover.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range seeds {
		dir := filepath.Dir(name)
		migrations, _ := filepath.Glob(dir + "/migrations/*/*.sql")
		for _, migration := range migrations {
			f.Add(text(f, name), text(f, migration), text(f, filepath.Join(dir, "assume.yaml")), false)
		}
	}
	f.Add("application: a\nstores: {m: {url: x, kind: sqlite}}\n", "-- stopover: expand\nSELECT 1;\n", "stores: {m: none}\n", true)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, catalogue, migration, assumption string, offline bool) {
		name := filepath.Join(dir, "assume.yaml")
		if err := os.WriteFile(name, []byte(assumption), 0o600); err != nil {
			t.Fatal(err)
		}
		files := fstest.MapFS{"stopover.yaml": {Data: []byte(catalogue)}}
		for _, at := range []string{"migrations/main/0041_orders.sql", "migrations/main/0043_fill.sql", "migrations/cache/0002_session.sql",
			"migrations/bmdb/1681826233_backoff.sql", "migrations/m/0001_a.sql"} {
			files[at] = &fstest.MapFile{Data: []byte(migration)}
		}
		app, err := paperApp(t, Config{Files: files, Dir: dir})
		if err != nil {
			failure(t, err)
			return
		}
		doc, err := app.planOnPaper(context.Background(), name, PlanOptions{Target: Target{Offline: offline}, SQL: true})
		if err != nil {
			failure(t, err)
			return
		}
		for _, format := range []ui.Format{ui.Text, ui.JSON, ui.Markdown, ui.Mermaid} {
			if err := ui.Render(io.Discard, doc, ui.Look{Format: format, Verbose: true}); err != nil {
				t.Errorf("show it as %s: %v", format, err)
			}
		}
	})
}

// failure checks that an error says what it is about and how the process ends.
func failure(t *testing.T, err error) {
	t.Helper()
	var f *Failure
	var planned *plan.PlanError
	if errors.As(err, &planned) {
		t.Fatalf("the verifier does not accept the planner's plan: %v", err)
	}
	if !errors.As(err, &f) || f.Detail.Message == "" || f.Exit != ExitUsage && f.Exit != ExitRefused {
		t.Fatalf("%T %v ends with no failure of the user's", err, err)
	}
}

func text(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}
