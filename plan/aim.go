package plan

// aim is a goal in numbers: which steps, which release.
type aim struct {
	release int    // NoRelease: fleet need not move
	needed  []bool // steps that the goal cannot be reached without
	wanted  []bool // needed ones, those that nobody waits for, and contracts
	upto    []int  // store -> steps of its line that are needed
	limit   []int  // store -> steps of its line that are wanted
	mid     []int  // needed contracts
	last    []int  // contracts that were asked for by name: they come last
	only    bool   // a step is asked for, not a release
	offline bool

	// base is what has to be reached where this aim only says what may be done on
	// the way; nil: this one.
	base *aim
}

func newAim(ix *index, p *progress, goal Goal) aim {
	a := aim{release: goal.Release, offline: goal.Offline}
	need := make([]int, len(ix.stores))
	var contracts []int
	if goal.Release != NoRelease && goal.Release < len(ix.cat.Releases) && (!ix.cat.Implicit || goal.Step == StepID{}) {
		for s := range need {
			need[s] = ix.needs(goal.Release, s)
		}
		for _, k := range ix.asked {
			if ix.order.has(goal.Release, k.mark) {
				contracts = append(contracts, k.step)
			}
		}
	}
	if ix.cat.Implicit {
		a.release = NoRelease
		if goal.Step == (StepID{}) {
			for s := range need {
				need[s] = len(ix.line[s])
			}
		}
	}
	last := ix.stepsOf(goal.Step, need)
	a.needed = ix.closure(p.done, need, contracts)
	a.only = goal.Step != StepID{} && goal.Release == NoRelease || ix.cat.Implicit && goal.Step != StepID{}
	ix.spread(&a, p, last)
	return a
}

// stepsOf widens need so that it covers the step that a goal names. A contract
// is given back: it does not belong to any line, and comes last.
func (ix *index) stepsOf(id StepID, need []int) []int {
	var last []int
	for i, s := range ix.cat.Steps {
		if s.ID.Store != id.Store || s.ID.Migration != id.Migration || id.Kind != 0 && s.ID.Kind != id.Kind {
			continue
		}
		if s.ID.Kind != Contract {
			need[ix.store[i]] = max(need[ix.store[i]], ix.at[i]+1)
		} else if id.Kind == Contract {
			last = append(last, i)
			need[ix.store[i]] = max(need[ix.store[i]], ix.at[i])
		}
	}
	return last
}

// spread derives the other fields from needed. last are contracts that were
// asked for by name.
func (ix *index) spread(a *aim, p *progress, last []int) {
	for _, i := range last {
		for _, r := range ix.requires[i] {
			a.merge(ix.closureOf(p.done, r))
		}
	}
	a.upto = make([]int, len(ix.stores))
	for i, in := range a.needed {
		if !in {
			continue
		}
		if ix.cat.Steps[i].ID.Kind == Contract {
			a.mid = append(a.mid, i)
		} else {
			a.upto[ix.store[i]] = max(a.upto[ix.store[i]], ix.at[i]+1)
		}
	}
	a.wanted = append([]bool(nil), a.needed...)
	a.limit = append([]int(nil), a.upto...)
	for _, i := range last {
		a.wanted[i] = true
		if !a.needed[i] {
			a.last = append(a.last, i)
		}
	}
	if !a.only {
		ix.welcomeRest(a, p)
	}
}

// widened gives an aim that may do every step on the way to a step. A release
// that meets a floor may need steps that the goal itself does not.
func (ix *index) widened(a aim, p *progress) aim {
	wide := aim{release: NoRelease, offline: a.offline, only: true, base: &a}
	need := make([]int, len(ix.stores))
	for s := range need {
		need[s] = len(ix.line[s])
	}
	wide.needed = ix.closure(p.done, need, a.last)
	ix.spread(&wide, p, nil)
	wide.last = a.last
	return wide
}

// narrowed gives an aim that does what a route's releases need and what the
// goal asks for, and no more.
func (ix *index) narrowed(a aim, p *progress, r route) aim {
	need := append([]int(nil), a.upto...)
	contracts := append([]int(nil), a.mid...)
	for _, l := range r.legs {
		for _, m := range l.moves {
			for _, h := range m.hops {
				if h.to != NoRelease {
					contracts = append(contracts, ix.demand(need, h.component, h.to)...)
				}
			}
		}
	}
	out := aim{release: a.release, offline: a.offline, only: true}
	out.needed = ix.closure(p.done, need, contracts)
	ix.spread(&out, p, a.last)
	return out
}

// demand raises need to what release r of component c needs, and gives the
// contracts that it needs.
func (ix *index) demand(need []int, c, r int) []int {
	for s, role := range ix.role[c] {
		if role != Unused {
			need[s] = max(need[s], ix.needs(r, s))
		}
	}
	var contracts []int
	for _, a := range ix.asked {
		if ix.role[c][ix.store[a.step]] != Unused && ix.order.has(r, a.mark) {
			contracts = append(contracts, a.step)
		}
	}
	return contracts
}

func (a *aim) merge(more []bool) {
	for i, in := range more {
		a.needed[i] = a.needed[i] || in
	}
}

// closureOf gives a step and all that must be done before it.
func (ix *index) closureOf(settled []bool, step int) []bool {
	need := make([]int, len(ix.stores))
	if ix.cat.Steps[step].ID.Kind == Contract {
		return ix.closure(settled, need, []int{step})
	}
	need[ix.store[step]] = ix.at[step] + 1
	return ix.closure(settled, need, nil)
}

// welcomeRest adds the steps that no release waits for and that the goal can
// live with: those without needs at the end of a line, and contracts.
func (ix *index) welcomeRest(a *aim, p *progress) {
	for grown := true; grown; {
		grown = false
		for s, line := range ix.line {
			for a.limit[s] < len(line) && (p.done[line[a.limit[s]]] || ix.fits(a, p, line[a.limit[s]])) {
				a.wanted[line[a.limit[s]]] = true
				a.limit[s]++
				grown = true
			}
		}
		for i, step := range ix.cat.Steps {
			if step.ID.Kind == Contract && !a.wanted[i] && ix.at[i] <= a.limit[ix.store[i]] && ix.fits(a, p, i) {
				a.wanted[i] = true
				grown = true
			}
		}
	}
}

// fits tells whether a step may follow once the fleet is at the goal.
func (ix *index) fits(a *aim, p *progress, step int) bool {
	for _, r := range ix.requires[step] {
		if !a.wanted[r] && !p.done[r] {
			return false
		}
	}
	s := ix.cat.Steps[step]
	if s.Offline && !a.offline && len(p.writersAlive(ix.store[step])) > 0 {
		return false
	}
	if a.release == NoRelease {
		return true
	}
	meets := func(m int) bool { return m == noMark || ix.order.has(a.release, m) }
	return meets(ix.order.of(s.Needs)) && meets(ix.writers[step]) && meets(ix.readers[step])
}

// writersAlive lists the components that write a store and have an instance.
func (p *progress) writersAlive(store int) []int {
	var list []int
	for _, c := range p.ix.users[store] {
		if p.ix.role[c][store] == ReadWrite && len(p.live[c]) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// reached tells whether a goal is reached but for what nobody waits for.
func (a *aim) reached(p *progress) bool {
	if a.base != nil {
		return a.base.reached(p)
	}
	for _, i := range a.last {
		if !p.done[i] && !p.may(i) {
			return false
		}
	}
	return a.stepsReached(p) && a.fleetReached(p)
}

func (a *aim) stepsReached(p *progress) bool {
	for s, n := range a.upto {
		if p.pos[s] < n {
			return false
		}
	}
	for _, i := range a.mid {
		if !p.done[i] {
			return false
		}
	}
	return true
}

func (a *aim) fleetReached(p *progress) bool {
	if a.release == NoRelease {
		return true
	}
	for _, live := range p.live {
		if len(live) > 0 && !only(live, a.release) {
			return false
		}
	}
	return true
}

func only(live []int, r int) bool { return len(live) == 1 && live[0] == r }
