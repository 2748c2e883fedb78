package plan

// Make finds a way from a state to a goal: the fewest stops, then few rollouts,
// contracts last. If there is none, the plan says why in Blocked. The error is
// a *CatalogueError, a *StateError or a *GoalError.
func Make(cat Catalogue, state State, goal Goal) (Plan, error) {
	ix, p, err := open(cat, state)
	if err != nil {
		return Plan{}, err
	}
	if err := wrongGoal(ix, p, goal); err != nil {
		return Plan{}, err
	}
	return build(ix, p, goal), nil
}

// build plans with what was found in order.
func build(ix *index, start *progress, goal Goal) Plan {
	aim := newAim(ix, start, goal)
	found := shortest(ix, start, aim)
	out := Plan{Goal: goal, From: standing(ix, start), Soak: ix.cat.Soak}
	if !found.ok {
		out.Blocked = certificate(ix, start, found.end, aim, goal)
		return out
	}
	found = prune(ix, start, aim, found)
	last := walker{ix: ix, aim: aim}
	found.rest = last.rest(found.end)
	found = lower(ix, start, aim, found)
	write(ix, start, aim, found, &out)
	return out
}

// standing tells what runs.
func standing(ix *index, p *progress) []Standing {
	list := make([]Standing, len(p.live))
	for c, component := range ix.cat.Components {
		list[c] = Standing{Component: component.Name, Releases: p.live[c]}
	}
	return list
}
