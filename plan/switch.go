package plan

// switches makes every cutover that is due and that the writers can follow. One
// action is: new instances are started and wait in their gates, the old writers
// are fenced, authority changes, the gates open.
func (w *walker) switches(p *progress, n int, moves []move) []move {
	for {
		m, found := w.jointly(p, n)
		if !found {
			return moves
		}
		moves = append(moves, m)
		w.apply(p, m)
	}
}

// jointly finds the largest set of due cutovers that can happen in one action:
// a release may need several of them at once.
func (w *walker) jointly(p *progress, n int) (move, bool) {
	due := w.due(p)
	for len(due) > 0 {
		hops, stuck := w.follow(p, n, due)
		if len(stuck) == 0 {
			return move{kind: DoSwitch, steps: due, hops: hops}, true
		}
		due = w.without(p, due, stuck)
	}
	return move{}, false
}

// due lists the cutovers that only wait for the writers that are to follow.
func (w *walker) due(p *progress) []int {
	var list []int
	for s, line := range w.ix.line {
		if p.pos[s] >= w.aim.upto[s] {
			continue
		}
		i := line[p.pos[s]]
		if w.ix.cat.Steps[i].ID.Kind == Cutover && !w.ix.cat.Steps[i].Offline && p.prepared(i) && p.readersReady(i) {
			list = append(list, i)
		}
	}
	return list
}

// readersReady tells whether the components that only read can live with a
// cutover. Those that write are about to move.
func (p *progress) readersReady(step int) bool {
	for _, c := range p.ix.users[p.ix.store[step]] {
		if p.ix.role[c][p.ix.store[step]] != ReadOnly {
			continue
		}
		for _, r := range p.live[c] {
			if !p.meets(c, r, step) {
				return false
			}
		}
	}
	return true
}

// movers lists the components that have to follow a set of cutovers.
func (p *progress) movers(steps []int) []int {
	moves := make([]bool, len(p.live))
	for _, i := range steps {
		for _, c := range p.ix.users[p.ix.store[i]] {
			for _, r := range p.live[c] {
				moves[c] = moves[c] || !p.meets(c, r, i)
			}
		}
	}
	var list []int
	for c, in := range moves {
		if in {
			list = append(list, c)
		}
	}
	return list
}

// follow lets the movers go to the highest release that may start once the
// cutovers are done. stuck are those that no release can be found for.
func (w *walker) follow(p *progress, n int, steps []int) (hops []hop, stuck []int) {
	after := p.copy()
	for _, i := range steps {
		after.finish(i)
	}
	movers := p.movers(steps)
	for grown := true; grown; {
		grown = false
		for _, c := range movers {
			if to := w.pick(after, n, c); to != NoRelease {
				after.live[c] = []int{to}
				grown = true
			}
		}
	}
	for _, c := range movers {
		to := after.live[c]
		if len(to) != 1 || !after.lives(c, to[0], steps) {
			stuck = append(stuck, c)
			continue
		}
		hops = append(hops, hop{component: c, from: p.live[c], to: to[0], upto: to[0]})
	}
	return hops, stuck
}

// lives tells whether release r of component c meets the floors of all steps.
func (p *progress) lives(c, r int, steps []int) bool {
	for _, i := range steps {
		if !p.meets(c, r, i) {
			return false
		}
	}
	return true
}

// without leaves out the cutovers that a stuck component would have to follow.
func (w *walker) without(p *progress, steps, stuck []int) []int {
	var keep []int
	for _, i := range steps {
		free := true
		for _, c := range p.movers([]int{i}) {
			for _, x := range stuck {
				free = free && c != x
			}
		}
		if free {
			keep = append(keep, i)
		}
	}
	if len(keep) == len(steps) {
		return nil
	}
	return keep
}

// apply carries a move out on paper.
func (w *walker) apply(p *progress, m move) {
	for _, i := range m.steps {
		p.finish(i)
	}
	for _, h := range m.hops {
		if h.to == NoRelease {
			p.live[h.component] = nil
		} else {
			p.live[h.component] = []int{h.to}
		}
	}
}
