package plan

import "fmt"

// judge holds where a replay stands. Its rules are written out plainly, from
// sets, and are nobody else's.
type judge struct {
	cat    Catalogue
	goal   Goal
	newest bool // take the newest release of every range

	done   map[StepID]bool
	begun  map[StepID]bool
	fleet  map[string]map[int]bool
	halted map[string]map[int]bool // what ran before a halt
	floors []Floor
	sets   map[int][]bool // release -> which releases are in it
	terms  []int          // releases that somebody asks for
}

func newJudge(cat Catalogue, state State, goal Goal, newest bool) *judge {
	j := &judge{cat: cat, goal: goal, newest: newest, done: map[StepID]bool{}, begun: map[StepID]bool{},
		fleet: map[string]map[int]bool{}, halted: map[string]map[int]bool{}, floors: state.Floors, sets: map[int][]bool{}}
	for _, s := range cat.Steps {
		j.done[s.ID] = state.Done[s.ID]
		j.begun[s.ID] = state.Done[s.ID] || state.Begun[s.ID]
		for _, r := range []int{s.Writers, s.Readers, s.Needs} {
			if r != NoRelease {
				j.terms = append(j.terms, r)
			}
		}
	}
	for _, f := range state.Floors {
		j.terms = append(j.terms, f.Release)
	}
	for _, r := range cat.Releases {
		for _, peer := range r.Peers {
			j.terms = append(j.terms, peer.AtLeast)
		}
	}
	for name, live := range state.Fleet {
		j.fleet[name] = map[int]bool{}
		for _, r := range live {
			j.fleet[name][r] = true
		}
	}
	return j
}

// in gives the set of releases that are in release r: on the main line all up
// to it; on a side line those of its base, of its line so far, and itself; on
// both what they contain.
func (j *judge) in(r int) []bool {
	if set, known := j.sets[r]; known {
		return set
	}
	set := make([]bool, len(j.cat.Releases))
	j.sets[r] = set
	for x := 0; x <= r; x++ {
		rel := j.cat.Releases[x]
		if rel.Line != j.cat.Releases[r].Line {
			set[x] = set[x] || j.cat.Releases[r].Line == ""
			continue
		}
		set[x] = true
		for _, c := range rel.Contains {
			set[c] = true
		}
		if rel.Line != "" && rel.Base >= 0 && rel.Base < x {
			for y, has := range j.in(rel.Base) {
				set[y] = set[y] || has
			}
		}
	}
	return set
}

// forward tells whether going from release a to b gives nothing up that is
// asked for, and is no step back in the list.
func (j *judge) forward(a, b int) bool {
	more := b > a
	for _, t := range j.terms {
		if j.in(a)[t] && !j.in(b)[t] {
			return false
		}
		more = more || j.in(b)[t] && !j.in(a)[t]
	}
	return more || a == b
}

func (j *judge) step(id StepID) (Step, bool) {
	for _, s := range j.cat.Steps {
		if s.ID == id {
			return s, true
		}
	}
	return Step{}, false
}

func (j *judge) uses(component, store string) Role {
	for _, c := range j.cat.Components {
		if c.Name == component {
			return c.Uses[store]
		}
	}
	return Unused
}

// settled tells whether a step counts as done.
func (j *judge) settled(s Step) bool { return j.done[s.ID] || s.Skip != "" }

// mayLive tells whether release r of a component can live with a step's floors.
func (j *judge) mayLive(s Step, component string, r int) bool {
	role := j.uses(component, s.ID.Store)
	writers := s.Writers
	if s.ID.Kind == Cutover && writers == NoRelease {
		writers = s.Needs
	}
	if role == ReadWrite && writers != NoRelease && !j.in(r)[writers] {
		return false
	}
	return role == Unused || s.Readers == NoRelease || j.in(r)[s.Readers]
}

// opens is R1; "" if the release may start.
func (j *judge) opens(component string, r int) string {
	if r < 0 || r >= len(j.cat.Releases) {
		return "the release is unknown"
	}
	name := component + " " + j.cat.Releases[r].ID
	if text := j.lacks(component, r); text != "" {
		return name + " may not start: it needs " + text
	}
	for _, s := range j.cat.Steps {
		if j.begun[s.ID] && !j.mayLive(s, component, r) {
			return name + " may not start: " + s.ID.String() + " shut it out"
		}
	}
	for _, f := range j.floors {
		role := j.uses(component, f.Store)
		concerned := role == ReadWrite || role == ReadOnly && f.Role != ReadWrite
		if concerned && !j.in(r)[f.Release] {
			return name + " may not start: a floor in force shuts it out"
		}
	}
	for _, peer := range j.cat.Releases[r].Peers {
		for x := range j.fleet[peer.Component] {
			if !j.in(x)[peer.AtLeast] {
				return name + " may not start: " + peer.Component + " is too old for it"
			}
		}
	}
	return ""
}

// lacks names a step that a release needs and that is not done; "" if none.
func (j *judge) lacks(component string, r int) string {
	needed := map[string]bool{}
	for i := len(j.cat.Steps) - 1; i >= 0; i-- {
		s := j.cat.Steps[i]
		own := s.Needs != NoRelease && j.in(r)[s.Needs] || j.cat.Implicit && s.ID.Kind != Contract
		if s.ID.Kind != Contract && own {
			needed[s.ID.Store] = true
		}
		if component != "" && j.uses(component, s.ID.Store) == Unused || j.settled(s) {
			continue
		}
		if own || s.ID.Kind != Contract && needed[s.ID.Store] {
			return s.ID.String()
		}
	}
	return ""
}

// begins is R2 without the fleet; "" if all before the step is done.
func (j *judge) begins(id StepID) (Step, string) {
	s, known := j.step(id)
	if !known {
		return s, "there is no such step"
	}
	if j.settled(s) {
		return s, "it is done or does not apply"
	}
	for _, before := range j.cat.Steps {
		if before.ID == id {
			break
		}
		if before.ID.Store == id.Store && before.ID.Kind != Contract && !j.settled(before) {
			return s, "it comes after " + before.ID.String()
		}
	}
	for _, r := range s.Requires {
		if other, known := j.step(r); !known || !j.settled(other) {
			return s, "it requires " + r.String()
		}
	}
	return s, ""
}

// act judges one action and carries it out; "" if it is right.
func (j *judge) act(a Action) string {
	switch a.Kind {
	case DoStep:
		if text := j.run(a.Step); text != "" {
			return text
		}
		return j.back(a)
	case DoRoll:
		return j.roll(a)
	case DoSwitch:
		return j.change(a)
	case DoHalt:
		if !j.goal.Offline || len(j.fleet[a.Component]) == 0 {
			return "nothing may be halted that runs not, or without being permitted"
		}
		if text := j.standing(a.Component, a.From); text != "" {
			return text
		}
		j.halted[a.Component] = j.fleet[a.Component]
		j.fleet[a.Component] = map[int]bool{}
		return j.back(a)
	}
	return "it is no kind of action"
}

// run judges a step beside the fleet.
func (j *judge) run(id StepID) string {
	s, text := j.begins(id)
	if text != "" {
		return id.String() + " may not begin: " + text
	}
	for component, live := range j.fleet {
		if s.Offline && len(live) > 0 && j.uses(component, id.Store) == ReadWrite {
			return id.String() + " may not begin: " + component + " is alive and writes"
		}
		for r := range live {
			if !j.mayLive(s, component, r) {
				return fmt.Sprintf("%s may not begin beside %s %s", id, component, j.cat.Releases[r].ID)
			}
		}
	}
	j.done[id], j.begun[id] = true, true
	return ""
}

// back judges where an action says one can go back to. The newest releases of
// ranges are not what that was computed for.
func (j *judge) back(a Action) string {
	if j.newest {
		return ""
	}
	for _, b := range a.Back {
		for _, r := range b.Releases {
			if text := j.opens(b.Component, r); text != "" {
				return "no way back: " + text
			}
		}
	}
	return ""
}
