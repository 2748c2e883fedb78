package stopover

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// TestWayBackIsTrue walks the route of examples/routes/e1 on two stores, one
// action at a time, and after each starts every release of every component up to
// the one that runs: those that the plan named as the way back start, and no
// others.
func TestWayBackIsTrue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("examples/routes/e1")); err != nil {
		t.Fatal(err)
	}
	catalogue, err := os.ReadFile(filepath.Join(dir, "stopover.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(catalogue), "soak: 24h", "", 1)
	if err := os.WriteFile(filepath.Join(dir, "stopover.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(Config{Kinds: []store.Kind{sqlite.Kind()}, Dir: dir, Lookup: func(name string) (string, bool) {
		return "sqlite:" + filepath.Join(dir, name+".db"), true
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	w := &wayBack{t: t, a: a, runs: map[string]string{"api": "1.4", "worker": "1.4", "web": "1.3"}}
	w.apply("main:0041_orders")
	w.apply("cache:0002_session")
	fill(t, filepath.Join(dir, "DATABASE_URL.db"), "INSERT INTO orders VALUES (1, 'EUR', 'Mill Lane', 'Ghent')")
	fill(t, filepath.Join(dir, "CACHE_URL.db"), "INSERT INTO session VALUES ('a', 1)")
	for component := range w.runs {
		w.attest(component)
	}
	actions := 0
	for ; w.next(); actions++ {
	}
	if actions != 12 { // five steps and seven rollouts
		t.Errorf("the walk had %d actions", actions)
	}
	w.contracts()
	if w.started == 0 || w.refused == 0 {
		t.Errorf("%d releases were started and %d refused: this test shows nothing", w.started, w.refused)
	}
}

func fill(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

type wayBack struct {
	t                *testing.T
	a                *App
	runs             map[string]string // release by component
	started, refused int
}

func (w *wayBack) apply(to string) {
	w.t.Helper()
	if _, err := w.a.Apply(wait(w.t), ApplyOptions{Target: Target{To: to}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wayBack) attest(component string) {
	w.t.Helper()
	if _, err := w.a.Attest(wait(w.t), Statement{Component: component, Releases: []string{w.runs[component]}, Reason: "the test says so"}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wayBack) plan() *wire.Plan {
	w.t.Helper()
	doc, err := w.a.Plan(wait(w.t), PlanOptions{Target: Target{To: "1.9"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// next does the next action of the way; false: there is none.
func (w *wayBack) next() bool {
	w.t.Helper()
	doc := w.plan()
	if len(doc.Legs) == 0 {
		return false
	}
	action := doc.Legs[0].Actions[0]
	if action.Kind == wire.ActStep {
		w.apply(action.Store + ":" + action.Migration + "." + action.Step)
	} else {
		w.runs[action.Component] = action.To
		w.attest(action.Component)
	}
	w.prove(string(action.Kind)+" "+action.Migration+action.Component, action.Back)
	return true
}

// contracts runs all of them, and looks at the way back behind the last.
func (w *wayBack) contracts() {
	w.t.Helper()
	after := w.plan().After
	if len(after) != 3 {
		w.t.Fatalf("%d contracts are left", len(after))
	}
	if _, err := w.a.Cleanup(wait(w.t), CleanupOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.prove("the contracts", after[len(after)-1].Back)
}

// prove starts every release up to the one that runs, as a process.
func (w *wayBack) prove(what string, back []wire.Back) {
	w.t.Helper()
	named := map[string][]string{}
	for _, b := range back {
		named[b.Component] = b.Releases
	}
	for _, component := range slices.Sorted(maps.Keys(w.runs)) {
		for _, release := range []string{"1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"} {
			if release > w.runs[component] {
				continue
			}
			exit, err := w.a.RunProgram(wait(w.t), RunOptions{JoinOptions: JoinOptions{Component: component, Release: release}, Command: []string{"true"}})
			starts := err == nil && exit == 0
			if starts {
				w.started++
			} else {
				w.refused++
			}
			if promised := slices.Contains(named[component], release); promised != starts {
				w.t.Errorf("after %s: %s %s starts: %v (%v); the plan says %q", what, component, release, starts, err, named[component])
			}
		}
	}
}
