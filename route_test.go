package stopover

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

// paperApp opens a project that must never reach a store.
func paperApp(t testing.TB, cfg Config) (*App, error) {
	t.Helper()
	cfg.Kinds = []store.Kind{sqlite.Kind(), postgres.Kind()}
	for i := range cfg.Kinds {
		cfg.Kinds[i].Open = func(context.Context, store.Settings) (store.Store, error) {
			t.Error("a plan on paper opened a store")
			return nil, fmt.Errorf("not on paper")
		}
	}
	return Open(cfg)
}

// TestTheWayBackOfEveryExampleIsTrue starts, after every action of every
// example, each release of each component on paper: those that the plan says one
// can go back to start, and no others. Whatever can no longer start without a
// restore was announced by the action that shuts it out.
func TestTheWayBackOfEveryExampleIsTrue(t *testing.T) {
	folders, err := filepath.Glob("examples/routes/*/assume.yaml")
	if err != nil || len(folders) < 9 {
		t.Fatalf("%d examples were found: %v", len(folders), err)
	}
	for _, file := range folders {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			app, err := paperApp(t, Config{Dir: filepath.Dir(file)})
			if err != nil {
				t.Fatal(err)
			}
			for _, offline := range []bool{false, true} {
				w, err := app.onPaper(file, Target{Offline: offline})
				if err != nil {
					t.Fatal(err)
				}
				walkBack(t, w)
			}
		})
	}
}

// walkBack carries a plan out on paper and asks the gate after every action.
func walkBack(t *testing.T, w *way) {
	t.Helper()
	var actions []plan.Action
	for _, leg := range w.plan.Legs {
		actions = append(actions, leg.Actions...)
	}
	for _, a := range append(actions, w.plan.After...) {
		before := starters(w)
		begin(w.state, a)
		now := starters(w)
		for _, back := range a.Back {
			live := w.state.Fleet[back.Component]
			for r, release := range w.cat.Releases {
				said, opens := slices.Contains(back.Releases, r), slices.Contains(now[back.Component], r)
				below := len(live) > 0 && r <= slices.Max(live)
				// A release that is not listed is offered only where it was met.
				if said && !opens || opens && below && !said && !release.Unlisted {
					t.Errorf("after %s %s%s: back to %s %s: the plan says %t, the gate %t", a.Kind, a.Step.Ref(), a.Component, back.Component, release.ID, said, opens)
				}
			}
		}
		if a.Kind == plan.DoStep && a.Step.Kind == plan.Contract && fewer(before, now) && a.NoReturn == "" {
			t.Errorf("%s shuts releases out for good and is not announced", a.Step)
		}
	}
}

// starters asks the gate for every release that somebody could start.
func starters(w *way) map[string][]int {
	open := map[string][]int{}
	for _, c := range w.cat.Components {
		for r, release := range w.cat.Releases {
			if !release.Withdrawn && len(plan.Ready(w.cat, w.state, c.Name, r)) == 0 {
				open[c.Name] = append(open[c.Name], r)
			}
		}
	}
	return open
}

func fewer(before, now map[string][]int) bool {
	for name, list := range before {
		if len(now[name]) < len(list) {
			return true
		}
	}
	return false
}

// begin carries one action out on paper.
func begin(state plan.State, a plan.Action) {
	switch a.Kind {
	case plan.DoHalt:
		state.Fleet[a.Component] = nil
	case plan.DoRoll:
		state.Fleet[a.Component] = []int{a.To}
	case plan.DoSwitch:
		state.Fleet[a.Component] = []int{a.To}
		for _, m := range a.Moves {
			state.Fleet[m.Component] = []int{m.To}
		}
	}
	if a.Step != (plan.StepID{}) {
		for _, id := range append([]plan.StepID{a.Step}, a.Also...) {
			state.Done[id] = true
		}
	}
}

// TestALargeCatalogueIsPlanned plans what examples/routes/e6 writes.
func TestALargeCatalogueIsPlanned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "./examples/routes/e6", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	app, err := paperApp(t, Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	w, err := app.onPaper(filepath.Join(dir, "assume.yaml"), Target{})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.cat.Components) != 20 || len(app.stores) != 10 || len(w.cat.Releases) != 500 || len(w.cat.Steps) != 1000 {
		t.Errorf("%d components, %d stores, %d releases, %d steps", len(w.cat.Components), len(app.stores), len(w.cat.Releases), len(w.cat.Steps))
	}
	if len(w.plan.Blocked) > 0 || w.plan.Steps != 1000 || w.plan.Stops != 25 || w.plan.Rollouts != 220 {
		t.Errorf("%d steps, %d stops, %d rollouts, blocked: %v", w.plan.Steps, w.plan.Stops, w.plan.Rollouts, w.plan.Blocked)
	}
}

// TestTenThousandReleases must neither be slow nor fill the screen.
func TestTenThousandReleases(t *testing.T) {
	var list strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&list, "  - \"%d.%d.%d\"\n", 1+i/1000, i/10%100, i%10)
	}
	dir := t.TempDir()
	assume := filepath.Join(dir, "assume.yaml")
	files := fstest.MapFS{
		"stopover.yaml":   {Data: []byte("application: shop\nstores: {main: {url: \"${URL}\", kind: sqlite, migrations: main}}\nreleases:\n" + list.String())},
		"main/0001_a.sql": {Data: []byte("-- stopover: expand needs=5.0.0 writers=3.0.0\nCREATE TABLE a (id integer);\n")},
	}
	app, err := paperApp(t, Config{Files: files, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{"10.99.9": "", "10.99.8": "", "11.0": "", "1.0": "target", "eleven": "is not a release", "0.9": "older than 1.0.0"} {
		text := fmt.Sprintf("stores: {main: none}\nfleet: {app: [\"2.4.1\", \"2.4.2\"]}\ntarget: %q\n", target)
		if err := os.WriteFile(assume, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := app.onPaper(assume, Target{})
		switch {
		case want == "" && err != nil:
			t.Errorf("to %s: %v", target, err)
		case want == "" && w.plan.Stops != 1:
			t.Errorf("to %s: %d stops, want 1", target, w.plan.Stops)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("to %s: %v, want %q", target, err, want)
		case err != nil && len(err.Error()) > 500:
			t.Errorf("to %s: the error has %d characters", target, len(err.Error()))
		}
	}
}
