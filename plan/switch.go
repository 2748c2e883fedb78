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

// manyDue is how many cutovers may be due at once for every set of them to be
// tried. Beyond it only all of them together and each alone are.
const manyDue = 6

// jointly finds a set of due cutovers that can happen in one action, a large one
// first: a release may need several of them at once.
func (w *walker) jointly(p *progress, n int) (move, bool) {
	due := w.due(p)
	for _, set := range subsets(due) {
		if hops, stuck := w.follow(p, n, set); len(stuck) == 0 {
			return move{kind: DoSwitch, steps: set, hops: hops}, true
		}
	}
	return move{}, false
}

// subsets lists the sets that are worth trying, the large ones first.
func subsets(due []int) [][]int {
	if len(due) == 0 {
		return nil
	}
	out := [][]int{due}
	if len(due) > manyDue {
		for i := range due {
			out = append(out, due[i:i+1])
		}
		return out
	}
	for size := len(due) - 1; size > 0; size-- {
		for bits := 1; bits < 1<<len(due); bits++ {
			var set []int
			for i, step := range due {
				if bits&(1<<i) != 0 {
					set = append(set, step)
				}
			}
			if len(set) == size {
				out = append(out, set)
			}
		}
	}
	return out
}

// due lists the cutovers that only wait for the writers that are to follow.
func (w *walker) due(p *progress) []int {
	var list []int
	for s, line := range w.ix.line {
		if p.pos[s] >= w.aim.upto[s] {
			continue
		}
		i := line[p.pos[s]]
		if w.ix.cat.Steps[i].ID.Kind == Cutover && !w.ix.cat.Steps[i].Offline && p.prepared(i) && p.readersReady(i) && !p.may(i) {
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
	stuck = p.movers(steps)
	for grown := true; grown; {
		grown = false
		var waiting []int
		for _, c := range stuck {
			to := w.pick(after, n, c)
			if to == NoRelease {
				waiting = append(waiting, c)
				continue
			}
			after.live[c] = []int{to}
			hops = append(hops, hop{component: c, from: p.live[c], to: to, upto: to})
			grown = true
		}
		stuck = waiting
	}
	return hops, stuck
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
