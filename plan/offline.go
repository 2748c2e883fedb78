package plan

import "time"

// outage is one way to get a step done while what is in its way is down.
type outage struct {
	moves    []move
	end      *progress
	downtime time.Duration
	halted   int
}

// better compares by known downtime, then by how much is down and for how much.
func (o outage) better(than outage) bool {
	if o.downtime != than.downtime {
		return o.downtime < than.downtime
	}
	if o.halted != than.halted {
		return o.halted < than.halted
	}
	return len(o.moves) < len(than.moves)
}

// offline goes on from where no rolling way leads: it halts what is in the way
// of one step, runs it, and starts everything again as soon as that is possible.
// Of all steps that could be next it takes the one with the smallest downtime.
func (w *walker) offline(p *progress, l leg) (leg, bool) {
	if !w.aim.offline {
		return l, false
	}
	var best outage
	found := false
	for _, step := range w.waiting(p) {
		o, ok := w.around(p, step, p.inTheWay(step))
		if !ok {
			o, ok = w.around(p, step, alive(p))
		}
		if ok && (!found || o.better(best)) {
			best, found = o, true
		}
	}
	if !found {
		return l, false
	}
	*p = *best.end
	l.moves = append(l.moves, best.moves...)
	return l, true
}

// waiting lists the steps that wait for nothing but the fleet.
func (w *walker) waiting(p *progress) []int {
	var list []int
	for s, line := range w.ix.line {
		if p.pos[s] < w.aim.upto[s] && p.prepared(line[p.pos[s]]) {
			list = append(list, line[p.pos[s]])
		}
	}
	for _, set := range [][]int{w.aim.mid, w.aim.last} {
		for _, i := range set {
			if !p.done[i] && p.prepared(i) {
				list = append(list, i)
			}
		}
	}
	return list
}

// alive lists the components that have an instance.
func alive(p *progress) []int {
	var list []int
	for c, live := range p.live {
		if len(live) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// around halts components, runs a step and then one allowed step after the
// other until all of them can be started. A contract that was asked for by name
// runs here too, although contracts come last elsewhere.
func (w *walker) around(p *progress, step int, halt []int) (outage, bool) {
	o := outage{end: p.copy(), halted: len(halt)}
	if len(halt) == 0 {
		return o, false
	}
	before := p.live
	for _, c := range halt {
		o.moves = append(o.moves, move{kind: DoHalt, hops: []hop{{component: c, from: before[c], to: NoRelease, upto: NoRelease}}})
		o.end.live[c] = nil
	}
	for o.end.may(step) {
		o.run(w.ix, step)
		if starts, ok := w.start(o.end, before, halt); ok {
			o.moves = append(o.moves, starts...)
			return o, true
		}
		if step = w.following(o.end, halt); step < 0 {
			break
		}
	}
	return o, false
}

func (o *outage) run(ix *index, step int) {
	o.moves = append(o.moves, ix.alone(step))
	o.end.finish(step)
	o.downtime += ix.cat.Steps[step].Estimate
}

// following gives the next needed step that may run, of a store that a halted
// component uses if there is one; -1: none.
func (w *walker) following(p *progress, halt []int) int {
	other := -1
	for _, i := range w.waiting(p) {
		if !p.may(i) {
			continue
		}
		for _, c := range halt {
			if w.ix.role[c][w.ix.store[i]] != Unused {
				return i
			}
		}
		if other < 0 {
			other = i
		}
	}
	return other
}

// start brings halted components up again, each at the highest release that may
// start, or at what ran before; if not all of them can be started, none is.
func (w *walker) start(p *progress, before [][]int, halt []int) ([]move, bool) {
	var moves []move
	down := halt
	for grown := true; grown; {
		grown = false
		var still []int
		for _, c := range down {
			to := w.restart(p, c, before[c])
			if to == NoRelease {
				still = append(still, c)
				continue
			}
			moves = append(moves, move{kind: DoRoll, hops: []hop{{component: c, to: to, upto: to}}})
			p.live[c] = []int{to}
			grown = true
		}
		down = still
	}
	if len(down) > 0 {
		for _, c := range halt {
			p.live[c] = nil
		}
	}
	return moves, len(down) == 0
}

// restart gives the release to start a halted component at.
func (w *walker) restart(p *progress, c int, before []int) int {
	if w.ix.cat.Implicit {
		if last := before[len(before)-1]; p.gate(c, last) && !w.ix.cat.Releases[last].Withdrawn {
			return last
		}
		return NoRelease
	}
	p.live[c] = before
	to := w.highest(p, c)
	p.live[c] = nil
	if to != NoRelease {
		return to
	}
	if last := before[len(before)-1]; len(before) == 1 && p.gate(c, last) && !w.ix.cat.Releases[last].Withdrawn {
		return last
	}
	return NoRelease
}
