package plan

import (
	"math/rand"
	"testing"
)

// honest tells by the world's own rules whether a plan may be carried out, in
// its order, and arrives.
func (w *world) honest(p Plan) bool {
	s := w.start()
	for _, l := range p.Legs {
		s.phase = 0
		for _, a := range l.Actions {
			var ok bool
			if s, ok = w.carry(s, a); !ok {
				return false
			}
		}
	}
	s.phase = 0
	for _, a := range p.After {
		var ok bool
		if s, ok = w.carry(s, a); !ok {
			return false
		}
	}
	return w.arrived(s)
}

// carry does one action if the world allows it and the leg is not past it.
func (w *world) carry(s spot, a Action) (spot, bool) {
	switch a.Kind {
	case DoStep:
		for i, step := range w.cat.Steps {
			if step.ID == a.Step && s.phase == 0 && w.begins(s, i) {
				s.done |= 1 << i
				return s, true
			}
		}
	case DoRoll:
		for c, component := range w.cat.Components {
			if component.Name == a.Component && a.To >= 0 && a.To < len(w.cat.Releases) && w.target(s, c, a.To) && w.gate(s, c, a.To) && sameReleases(w.live(s, c), a.From) {
				s.fleet[c], s.phase = uint8(a.To), 2
				return s, true
			}
		}
	case DoSwitch:
		return w.carrySwitch(s, a)
	}
	return s, false
}

// carrySwitch finds the same switch among all that are possible.
func (w *world) carrySwitch(s spot, a Action) (spot, bool) {
	want := s
	for i, step := range w.cat.Steps {
		for _, id := range append([]StepID{a.Step}, a.Also...) {
			if step.ID == id {
				want.done |= 1 << i
			}
		}
	}
	for c, component := range w.cat.Components {
		for _, m := range append([]Move{{Component: a.Component, From: a.From, To: a.To}}, a.Moves...) {
			if m.Component == component.Name {
				if !sameReleases(w.live(s, c), m.From) {
					return s, false
				}
				want.fleet[c] = uint8(m.To)
			}
		}
	}
	want.phase = 1
	found := false
	if s.phase <= 1 {
		w.switches(s, func(t spot) {
			t.phase = 1
			found = found || t == want
		})
	}
	return want, found
}

func sameReleases(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// deep copies the parts of a plan that a mutation changes.
func (p Plan) deep() Plan {
	legs := make([]Leg, len(p.Legs))
	for i, l := range p.Legs {
		legs[i] = Leg{Stop: l.Stop, Actions: append([]Action(nil), l.Actions...)}
	}
	p.Legs, p.After = legs, append([]Action(nil), p.After...)
	return p
}

// mutate spoils a plan a little, and keeps its sums right.
func mutate(r *rand.Rand, w *world, p Plan) Plan {
	p = p.deep()
	if len(p.Legs) == 0 {
		return p
	}
	l := &p.Legs[r.Intn(len(p.Legs))]
	i := r.Intn(len(l.Actions))
	switch r.Intn(6) {
	case 0: // leave out
		l.Actions = append(l.Actions[:i:i], l.Actions[i+1:]...)
	case 1: // exchange
		k := r.Intn(len(l.Actions))
		l.Actions[i], l.Actions[k] = l.Actions[k], l.Actions[i]
	case 2: // roll elsewhere
		if l.Actions[i].Kind == DoRoll || l.Actions[i].Kind == DoSwitch {
			to := r.Intn(len(w.cat.Releases))
			l.Actions[i].To, l.Actions[i].ToUpto = to, to
		}
	case 3: // another step
		if l.Actions[i].Kind == DoStep {
			l.Actions[i].Step = w.cat.Steps[r.Intn(len(w.cat.Steps))].ID
		}
	case 4: // twice
		l.Actions = append(l.Actions[:i+1:i+1], l.Actions[i:]...)
	case 5: // no stop
		if len(p.Legs) > 1 {
			p.Legs[1].Actions = append(append([]Action(nil), p.Legs[0].Actions...), p.Legs[1].Actions...)
			p.Legs = p.Legs[1:]
		}
	}
	p.sum()
	return p
}

// sum counts again, so that only the rules can find a fault.
func (p *Plan) sum() {
	p.Stops, p.Rollouts, p.Steps = max(0, len(p.Legs)-1), 0, 0
	for _, a := range p.actions() {
		if a.Kind == DoStep || a.Kind == DoSwitch {
			p.Steps += 1 + len(a.Also)
		}
		if a.Kind == DoRoll || a.Kind == DoSwitch {
			p.Rollouts += 1 + len(a.Moves)
		}
	}
}

func TestSpoiledPlansAreRejected(t *testing.T) {
	spoiled, harmless := 0, 0
	sh := wild
	sh.offline = false
	planned(t, 4000, sh, asIs, func(w *world, p Plan, r *rand.Rand) {
		if !w.honest(p) {
			t.Errorf("the world does not allow the plan itself")
			return
		}
		for range 8 {
			m := mutate(r, w, p)
			if w.honest(m) {
				harmless++
				continue
			}
			spoiled++
			if err := m.Verify(w.cat, w.state, &w.goal); err == nil {
				t.Errorf("the verifier accepts a spoiled plan:\n%+v", m.Legs)
				return
			}
		}
	})
	t.Logf("%d spoiled plans rejected, %d mutations were harmless", spoiled, harmless)
	if spoiled < 10_000 {
		t.Errorf("only %d plans were spoiled", spoiled)
	}
}

func TestWrongSumsAndWaysBackAreRejected(t *testing.T) {
	tl := storyE1(t)
	goal := Goal{Release: tl.at("1.9")}
	for name, spoil := range map[string]func(*Plan){
		"stops":            func(p *Plan) { p.Stops++ },
		"rollouts":         func(p *Plan) { p.Rollouts-- },
		"steps":            func(p *Plan) { p.Steps++ },
		"a way back":       func(p *Plan) { p.After[0].Back = p.Legs[0].Actions[0].Back },
		"a range":          func(p *Plan) { p.Legs[0].Actions[1].ToUpto = tl.at("1.7") },
		"a halt":           func(p *Plan) { p.Legs[0].Actions[1].Kind = DoHalt },
		"a missing stop":   func(p *Plan) { p.Legs[0].Stop = nil },
		"an early cleanup": func(p *Plan) { p.Legs[2].Actions, p.After = append(p.Legs[2].Actions, p.After...), nil },
	} {
		p := tl.plan(tl.fleetE1(), goal).deep()
		spoil(&p)
		if err := p.Verify(tl.cat, tl.fleetE1(), &goal); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
