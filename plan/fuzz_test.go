package plan

import (
	"math/rand"
	"testing"
)

// garbage makes catalogues, states and goals without any sense in them.
func garbage(r *rand.Rand) (Catalogue, State, Goal) {
	number := func() int { return r.Intn(9) - 2 }
	name := func() string { return []string{"", "a", "b", "main", "cache"}[r.Intn(5)] }
	id := func() StepID { return StepID{Store: name(), Migration: name(), Kind: Kind(r.Intn(7))} }
	cat := Catalogue{Implicit: r.Intn(5) == 0}
	for range r.Intn(6) {
		rel := Release{ID: name(), Withdrawn: r.Intn(3) == 0, Unlisted: r.Intn(3) == 0, Line: name(), Base: number()}
		for range r.Intn(3) {
			rel.Contains = append(rel.Contains, number())
			rel.Peers = append(rel.Peers, Peer{Component: name(), AtLeast: number()})
		}
		cat.Releases = append(cat.Releases, rel)
	}
	for range r.Intn(4) {
		cat.Components = append(cat.Components, Component{Name: name(), Uses: map[string]Role{name(): Role(r.Intn(5)), name(): Role(r.Intn(3))}})
	}
	state := State{Done: map[StepID]bool{}, Begun: map[StepID]bool{}, Fleet: map[string][]int{}}
	for range r.Intn(8) {
		s := Step{ID: id(), Writers: number(), Readers: number(), Needs: number(), Offline: r.Intn(4) == 0}
		for range r.Intn(3) {
			s.Requires = append(s.Requires, id())
		}
		cat.Steps = append(cat.Steps, s)
		state.Done[id()] = true
		state.Begun[s.ID] = r.Intn(4) == 0
	}
	for range r.Intn(4) {
		state.Fleet[name()] = append(state.Fleet[name()], number(), number())
		state.Floors = append(state.Floors, Floor{Store: name(), Role: Role(r.Intn(4)), Release: number()})
	}
	return cat, state, Goal{Release: number(), Step: id(), Offline: r.Intn(2) == 0}
}

// tame mends what would be refused at once, so that more of it is reached.
func tame(cat Catalogue, state State, goal *Goal) {
	if cat.Implicit && len(cat.Releases) > 1 {
		return
	}
	n := max(1, len(cat.Releases))
	in := func(x int) int { return min(max(x, NoRelease), n-1) }
	for i := range cat.Releases {
		rel := &cat.Releases[i]
		rel.ID = string(rune('A' + i))
		rel.Base = min(rel.Base, i-1)
		rel.Base = max(rel.Base, NoRelease)
		for k := range rel.Contains {
			rel.Contains[k] = max(0, in(rel.Contains[k]))
		}
		for k := range rel.Peers {
			rel.Peers[k].AtLeast = max(0, in(rel.Peers[k].AtLeast))
			if len(cat.Components) > 0 {
				rel.Peers[k].Component = cat.Components[0].Name
			}
		}
	}
	for i := range cat.Components {
		cat.Components[i].Name = string(rune('a' + i))
		for store, role := range cat.Components[i].Uses {
			cat.Components[i].Uses[store] = min(role, ReadWrite)
		}
	}
	for i := range cat.Steps {
		s := &cat.Steps[i]
		s.ID.Migration = string(rune('0' + i))
		s.ID.Kind = min(max(s.ID.Kind, Expand), Contract)
		s.Writers, s.Readers, s.Needs = in(s.Writers), in(s.Readers), in(s.Needs)
		for k := range s.Requires {
			s.Requires[k] = cat.Steps[max(0, i-1)].ID
		}
		if i == 0 {
			s.Requires = nil
		}
	}
	for name, live := range state.Fleet {
		for k := range live {
			live[k] = max(0, in(live[k]))
		}
		if len(cat.Components) == 0 || name >= string(rune('a'+len(cat.Components))) || name == "" {
			delete(state.Fleet, name)
		}
	}
	for i := range state.Floors {
		state.Floors[i].Release = max(0, in(state.Floors[i].Release))
	}
	if len(cat.Steps) > 0 && goal.Step != (StepID{}) {
		goal.Step = cat.Steps[len(cat.Steps)-1].ID
	}
	goal.Release = in(goal.Release)
}

// endure asks everything about a catalogue; nothing may panic.
func endure(t *testing.T, cat Catalogue, state State, goal Goal) bool {
	Check(cat)
	p, err := Make(cat, state, goal)
	if err == nil && len(p.Blocked) == 0 {
		if err := p.Verify(cat, state, &goal); err != nil {
			t.Fatalf("%v\n%+v\n%+v\n%+v\n%+v", err, cat, state, goal, p)
		}
	}
	for _, s := range cat.Steps {
		_ = Allowed(cat, state, s.ID).String()
		Position(cat, state, s.ID.Store)
	}
	for _, c := range cat.Components {
		for r := -2; r < len(cat.Releases)+2; r++ {
			_ = Ready(cat, state, c.Name, r).String()
		}
	}
	return err == nil
}

func FuzzNothingPanics(f *testing.F) {
	for seed := range int64(8) {
		f.Add(seed, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed int64, mend bool) {
		cat, state, goal := garbage(rand.New(rand.NewSource(seed)))
		if mend {
			tame(cat, state, &goal)
		}
		endure(t, cat, state, goal)
	})
}

func TestGarbageIsNamedAndNeverPanics(t *testing.T) {
	planned := 0
	for seed := range int64(15_000) {
		cat, state, goal := garbage(rand.New(rand.NewSource(seed)))
		if seed%4 != 0 {
			tame(cat, state, &goal)
		}
		if endure(t, cat, state, goal) {
			planned++
		}
	}
	if planned < 1000 {
		t.Errorf("only %d of the catalogues could be planned with", planned)
	}
}
