package stopover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// planOnPaper plans from the positions and the fleet that a file assumes. It
// opens no store.
func (a *App) planOnPaper(ctx context.Context, file string, ask PlanOptions) (*wire.Plan, error) {
	w, err := a.onPaper(file, ask.Target)
	if err != nil {
		return nil, err
	}
	doc, err := a.made(ctx, w, ask.SQL)
	if err != nil {
		return nil, err
	}
	a.stayOnPaper(doc, file)
	doc.Notes = append(doc.Notes, fmt.Sprintf("on paper: stores and fleet as %s assumes them, no store was opened", file))
	return doc, nil
}

// stayOnPaper makes the plans that a document proposes plans on paper too.
func (a *App) stayOnPaper(doc *wire.Plan, file string) {
	program := a.cfg.Program + a.cfg.flags() + " plan"
	if below, err := filepath.Rel(a.cfg.typedDir, file); err == nil && a.cfg.typedDir != "" {
		file = below
	}
	assuming := func(command string) string {
		if rest, isPlan := strings.CutPrefix(command, program); isPlan {
			return program + " --assume " + shellWord(file) + rest
		}
		return command
	}
	for i := range doc.Next {
		doc.Next[i] = assuming(doc.Next[i])
	}
	for i := range doc.Blocked {
		for j := range doc.Blocked[i].Repairs {
			repair := &doc.Blocked[i].Repairs[j]
			repair.Next = assuming(repair.Next)
		}
	}
}

// onPaper computes the way from what a file assumes.
func (a *App) onPaper(file string, target Target) (*way, error) {
	assumed, err := files.ReadAssumption(file)
	if err != nil {
		return nil, a.explain("", err)
	}
	w := &way{target: target}
	if w.target.To == "" {
		w.target.To = assumed.Target
	}
	for _, p := range a.stores {
		w.sights = append(w.sights, &sight{place: p})
	}
	if err := a.assume(w, assumed); err != nil {
		return nil, a.explain("", err)
	}
	if err := a.aim(w); err != nil {
		return nil, a.explain("", err)
	}
	if w.plan, err = plan.Make(w.cat, w.state, w.goal); err != nil {
		return nil, a.explainPlan(err)
	}
	a.silences(w, assumed)
	return w, nil
}

// silences notes what the assumption says nothing of, and how that is taken.
func (a *App) silences(w *way, assumed *files.Assumption) {
	var stores, components []string
	for _, name := range a.storeNames() {
		if _, given := assumed.Stores[name]; !given {
			stores = append(stores, name)
		}
	}
	for _, c := range w.cat.Components {
		if _, given := assumed.Fleet[c.Name]; !given && !w.cat.Implicit {
			components = append(components, c.Name)
		}
	}
	if len(stores) > 0 {
		w.notes = append(w.notes, fmt.Sprintf("%s says nothing of %s: nothing is taken to be done there", assumed.File, strings.Join(stores, ", ")))
	}
	if len(components) > 0 {
		w.notes = append(w.notes, fmt.Sprintf("%s says nothing of %s: no instance is taken to run", assumed.File, strings.Join(components, ", ")))
	}
}

// assume fills in catalogue, state and fleet.
func (a *App) assume(w *way, assumed *files.Assumption) error {
	for _, name := range slices.Sorted(maps.Keys(assumed.Stores)) {
		if a.store(name) == nil {
			return assumed.Fault("stores/"+name, fmt.Sprintf("there is no store %q", name), "the catalogue has "+strings.Join(a.storeNames(), ", "))
		}
	}
	w.target.Fleet = assumed.Fleet
	if err := a.catalogue(w); err != nil {
		return a.assumedFault(w, assumed, err)
	}
	w.state = plan.State{Done: map[plan.StepID]bool{}, Begun: map[plan.StepID]bool{}, Fleet: map[string][]int{}}
	for name, position := range assumed.Stores {
		if position == files.None {
			continue
		}
		target, err := w.index.Step(name + ":" + position)
		if err != nil {
			return assumed.Fault("stores/"+name, fmt.Sprintf("no file explains the position %s: %v", position, err), "write a migration's name, or none")
		}
		for _, s := range w.cat.Steps {
			if s.ID.Store == name && !behind(s.ID, target) {
				w.state.Done[s.ID] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(assumed.Fleet)) {
		if !slices.ContainsFunc(w.cat.Components, func(c plan.Component) bool { return c.Name == name }) {
			return assumed.Fault("fleet/"+name, fmt.Sprintf("there is no component %q", name), "")
		}
		for _, id := range assumed.Fleet[name] {
			at, known := w.index.At(id)
			if !known {
				return assumed.Fault("fleet/"+name, fmt.Sprintf("release %s is not known", id), "")
			}
			w.state.Fleet[name] = append(w.state.Fleet[name], at)
		}
	}
	return nil
}

// assumedFault gives the place in the assumption to what the catalogue says of a
// release that only the assumption names.
func (a *App) assumedFault(w *way, assumed *files.Assumption, err error) error {
	var problems *files.Problems
	if !errors.As(err, &problems) || problems.List[0].File != "" {
		return err
	}
	if id := problems.List[0].Extra; id != "" && id == w.target.To && id != assumed.Target {
		return err // it was typed
	}
	message := problems.List[0].Message
	for name, ids := range assumed.Fleet {
		for _, id := range ids {
			if strings.Contains(message, id) {
				return assumed.Fault("fleet/"+name, message, problems.List[0].Next)
			}
		}
	}
	return assumed.Fault("target", message, problems.List[0].Next)
}

func (a *App) storeNames() []string {
	names := make([]string, len(a.stores))
	for i, p := range a.stores {
		names[i] = p.name
	}
	return names
}
