package plan

// actions lists a plan's actions in order.
func (p Plan) actions() []Action {
	var all []Action
	for _, l := range p.Legs {
		all = append(all, l.Actions...)
	}
	return append(all, p.After...)
}

// carryOut changes a state as an action would.
func carryOut(at State, a Action) {
	if a.Kind == DoStep || a.Kind == DoSwitch {
		for _, id := range append([]StepID{a.Step}, a.Also...) {
			at.Done[id] = true
		}
	}
	if a.Kind == DoHalt {
		at.Fleet[a.Component] = nil
	}
	if a.Kind == DoRoll || a.Kind == DoSwitch {
		at.Fleet[a.Component] = []int{a.To}
	}
	for _, m := range a.Moves {
		at.Fleet[m.Component] = []int{m.To}
	}
}

func (s State) clone() State {
	out := State{Done: map[StepID]bool{}, Begun: s.Begun, Fleet: map[string][]int{}, Floors: s.Floors}
	for id, done := range s.Done {
		out.Done[id] = done
	}
	for name, live := range s.Fleet {
		out.Fleet[name] = live
	}
	return out
}
