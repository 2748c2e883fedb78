package plan

import (
	"fmt"
	"sort"
)

// open resolves a catalogue and a state, or says why that cannot be.
func open(cat Catalogue, state State) (*index, *progress, error) {
	if problems := structure(cat); len(problems) > 0 {
		return nil, nil, &CatalogueError{Problems: problems}
	}
	if err := wrongFleet(cat, state); err != nil {
		return nil, nil, err
	}
	for _, f := range state.Floors {
		if f.Release < 0 || f.Release >= len(cat.Releases) {
			return nil, nil, &StateError{Store: f.Store, Release: f.Release,
				Because: fmt.Sprintf("store %s holds a floor at a release that this catalogue does not know (%s): use the newest catalogue", f.Store, f.Because)}
		}
	}
	ix := newIndex(cat, state.Floors)
	return ix, newProgress(ix, state), nil
}

// wrongFleet finds components and live releases that the catalogue does not
// explain.
func wrongFleet(cat Catalogue, state State) error {
	names := make([]string, 0, len(state.Fleet))
	for name := range state.Fleet {
		names = append(names, name)
	}
	sort.Strings(names)
	known := map[string]bool{}
	for _, c := range cat.Components {
		known[c.Name] = true
	}
	for _, name := range names {
		if !known[name] && len(state.Fleet[name]) > 0 {
			return &StateError{Component: name, Release: NoRelease, Because: fmt.Sprintf("component %s is alive and not declared", name)}
		}
		for _, r := range state.Fleet[name] {
			if r < 0 || r >= len(cat.Releases) {
				return &StateError{Component: name, Release: r, Because: fmt.Sprintf("%s runs a release that this catalogue does not know", name)}
			}
			if !explained(cat, r) {
				return &StateError{Component: name, Release: r,
					Because: fmt.Sprintf("%s runs %s, which is older than the oldest listed release: list it, or the one that it was built on", name, cat.Releases[r].ID)}
			}
		}
	}
	return nil
}

// explained tells whether release r is listed or has a listed one below it on
// its line, or below the point where its line begins.
func explained(cat Catalogue, r int) bool {
	for x := r; x >= 0; x-- {
		if cat.Releases[x].Line != cat.Releases[r].Line {
			continue
		}
		if !cat.Releases[x].Unlisted {
			return true
		}
		if base := cat.Releases[x].Base; cat.Releases[x].Line != "" && base >= 0 && base < x && explained(cat, base) {
			return true
		}
	}
	return false
}

// wrongGoal finds goals that are none.
func wrongGoal(ix *index, p *progress, goal Goal) error {
	refuse := func(format string, args ...any) error {
		return &GoalError{Goal: goal, Because: fmt.Sprintf(format, args...)}
	}
	if goal.Step != (StepID{}) && !ix.names(goal.Step) {
		return refuse("there is no step %s", stepText(goal.Step))
	}
	if ix.cat.Implicit {
		return nil
	}
	r := goal.Release
	if r == NoRelease {
		if goal.Step == (StepID{}) {
			return refuse("neither a release nor a step is asked for")
		}
		return nil
	}
	if r < 0 || r >= len(ix.cat.Releases) {
		return refuse("the target is a release that this catalogue does not know")
	}
	if !explained(ix.cat, r) {
		return refuse("the target %s is older than the oldest listed release", ix.id(r))
	}
	for c, live := range p.live {
		for _, x := range live {
			if !ix.order.above(r, x) {
				return refuse("the target %s is below %s, which %s runs: nothing goes down by itself", ix.id(r), ix.id(x), ix.cat.Components[c].Name)
			}
		}
		if ix.cat.Releases[r].Withdrawn && len(live) > 0 && !only(live, r) {
			return refuse("the target %s is withdrawn", ix.id(r))
		}
	}
	return nil
}

// names tells whether a catalogue has a step, or any of a migration.
func (ix *index) names(id StepID) bool {
	if id.Kind != 0 {
		_, known := ix.step[id]
		return known
	}
	for _, s := range ix.cat.Steps {
		if s.ID.Store == id.Store && s.ID.Migration == id.Migration {
			return true
		}
	}
	return false
}

func stepText(id StepID) string {
	if id.Kind == 0 {
		return id.Store + ":" + id.Migration
	}
	return id.Ref()
}
