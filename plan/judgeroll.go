package plan

import "fmt"

// roll judges a roll or a start.
func (j *judge) roll(a Action) string {
	if text := j.standing(a.Component, a.From); text != "" {
		return text
	}
	if len(j.fleet[a.Component]) == 0 && j.halted[a.Component] == nil {
		return a.Component + " has no instance to roll"
	}
	for r := a.To; r <= a.ToUpto; r++ {
		if r != a.To && !j.listed(r) {
			continue
		}
		if text := j.may(a.Component, r); text != "" {
			return text
		}
	}
	if a.ToUpto < a.To {
		return "a range ends before it begins"
	}
	j.put(a.Component, a.To, a.ToUpto)
	return j.back(a)
}

// listed tells whether a release belongs to the ranges of the main line.
func (j *judge) listed(r int) bool {
	return r >= 0 && r < len(j.cat.Releases) && j.cat.Releases[r].Line == "" && !j.cat.Releases[r].Unlisted
}

// may judges one release as the target of a roll.
func (j *judge) may(component string, r int) string {
	if r < 0 || r >= len(j.cat.Releases) {
		return "the release is unknown"
	}
	rel := j.cat.Releases[r]
	if j.halted[component][r] && !rel.Withdrawn {
		return j.opens(component, r)
	}
	for x := range j.halted[component] {
		if !j.forward(x, r) {
			return fmt.Sprintf("%s would start at %s, below %s, which ran before", component, rel.ID, j.cat.Releases[x].ID)
		}
	}
	if rel.Withdrawn || rel.Unlisted && r != j.goal.Release {
		return component + " would go to " + rel.ID + ", which is withdrawn or not listed"
	}
	for x := range j.fleet[component] {
		if !j.forward(x, r) {
			return fmt.Sprintf("%s would go from %s back to %s", component, j.cat.Releases[x].ID, rel.ID)
		}
	}
	if j.fleet[component][r] && len(j.fleet[component]) == 1 {
		return component + " runs " + rel.ID + " already"
	}
	return j.opens(component, r)
}

// put brings a component to the oldest or the newest release of a range.
func (j *judge) put(component string, to, upto int) {
	if j.newest {
		to = upto
	}
	j.fleet[component] = map[int]bool{to: true}
	delete(j.halted, component)
}

// standing compares what an action says is alive with what is.
func (j *judge) standing(component string, from []int) string {
	if j.newest {
		return ""
	}
	same := len(from) == len(j.fleet[component])
	for _, r := range from {
		same = same && j.fleet[component][r]
	}
	if !same {
		return fmt.Sprintf("%s does not run what the plan says", component)
	}
	return ""
}

// change judges a switch: the cutovers are ready, those who only read can live
// with them, every writer who cannot moves along, and nobody else does.
func (j *judge) change(a Action) string {
	steps, text := j.cutovers(a)
	if text != "" {
		return text
	}
	moves := append([]Move{{Component: a.Component, From: a.From, To: a.To, ToUpto: a.ToUpto}}, a.Moves...)
	if text := j.followers(steps, moves); text != "" {
		return text
	}
	for _, s := range steps {
		j.done[s.ID], j.begun[s.ID] = true, true
	}
	for len(moves) > 0 {
		rest, text := j.moveSome(moves)
		if len(rest) == len(moves) {
			return text
		}
		moves = rest
	}
	return j.back(a)
}

func (j *judge) cutovers(a Action) ([]Step, string) {
	var steps []Step
	seen := map[StepID]bool{}
	for _, id := range append([]StepID{a.Step}, a.Also...) {
		s, text := j.begins(id)
		if text == "" && (id.Kind != Cutover || s.Offline || seen[id]) {
			text = "only cutovers are switched to, each once"
		}
		if text != "" {
			return nil, id.String() + " may not begin: " + text
		}
		seen[id] = true
		steps = append(steps, s)
	}
	return steps, ""
}

// followers judges who moves in a switch.
func (j *judge) followers(steps []Step, moves []Move) string {
	moving := map[string]bool{}
	for _, m := range moves {
		if moving[m.Component] || len(j.fleet[m.Component]) == 0 {
			return m.Component + " cannot move in a switch"
		}
		if text := j.standing(m.Component, m.From); text != "" {
			return text
		}
		moving[m.Component] = true
	}
	for _, c := range j.cat.Components {
		must := false
		for _, s := range steps {
			for r := range j.fleet[c.Name] {
				if j.mayLive(s, c.Name, r) {
					continue
				}
				if c.Uses[s.ID.Store] != ReadWrite {
					return fmt.Sprintf("%s may not begin beside %s %s", s.ID, c.Name, j.cat.Releases[r].ID)
				}
				must = true
			}
		}
		if must && !moving[c.Name] {
			return "two releases would both write, each its own form: " + c.Name + " does not move along"
		}
		if moving[c.Name] && !must {
			return c.Name + " moves in a switch that does not concern it"
		}
	}
	return ""
}

// moveSome brings those to their releases that may start now. text says why the
// others may not.
func (j *judge) moveSome(moves []Move) (rest []Move, text string) {
	for _, m := range moves {
		why := ""
		for r := m.To; r <= m.ToUpto && why == ""; r++ {
			if r == m.To || j.listed(r) {
				why = j.may(m.Component, r)
			}
		}
		if m.To > m.ToUpto {
			why = "a range ends before it begins"
		}
		if why != "" {
			rest, text = append(rest, m), why
			continue
		}
		j.put(m.Component, m.To, m.ToUpto)
	}
	return rest, text
}
