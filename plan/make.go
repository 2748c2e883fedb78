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
	if aim.only && !ix.cat.Implicit {
		aim, found = detour(ix, start, aim, found)
	}
	out := Plan{Goal: goal, From: standing(ix, start), Soak: ix.cat.Soak}
	if !found.ok {
		out.Blocked = certificate(ix, start, found.end, aim, goal)
		return out
	}
	write(ix, start, aim, settled(ix, start, aim, found), &out)
	return out
}

// settled leaves out what a route does not need and adds what follows it.
func settled(ix *index, start *progress, a aim, found route) route {
	found = prune(ix, start, a, found)
	if !found.halts() {
		found = mirrors(ix, found)
	}
	last := walker{ix: ix, aim: a}
	found.rest = last.rest(found.end)
	return lower(ix, start, a, found)
}

// detour looks for a way to a step that is shorter, or exists at all, because
// steps run on it that the goal itself does not need.
func detour(ix *index, start *progress, a aim, found route) (aim, route) {
	wide := ix.widened(a, start)
	other := shortest(ix, start, wide)
	if !other.ok {
		return wide, other
	}
	if found.ok && len(found.legs) <= len(other.legs) && !(found.halts() && !other.halts()) {
		return a, found
	}
	narrow := ix.narrowed(a, start, settled(ix, start, wide, other))
	again := shortest(ix, start, narrow)
	if again.ok && len(again.legs) <= len(other.legs) {
		return narrow, again
	}
	return wide, other
}

// standing tells what runs.
func standing(ix *index, p *progress) []Standing {
	list := make([]Standing, len(p.live))
	for c, component := range ix.cat.Components {
		list[c] = Standing{Component: component.Name, Releases: p.live[c]}
	}
	return list
}
