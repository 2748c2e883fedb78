package plan

import "time"

// effort bounds what pruning may cost, in rule checks.
const effort = 150_000

// prune leaves out rollouts that the way does not need, without adding a stop:
// first each component rolls as late as the steps of the way allow, then single
// rollouts are left out one by one as far as the effort reaches.
func prune(ix *index, start *progress, a aim, found route) route {
	if ix.cat.Implicit || len(found.legs) < 2 {
		return found
	}
	cost := 4*len(ix.cat.Steps) + 4*len(found.legs)*(len(ix.stores)+len(start.live))
	if found.halts() && cost > effort/100 {
		return found // walking again through every outage would take too long
	}
	best := found
	try := func(m mask, most int) bool {
		w := walker{ix: ix, aim: a, mask: m, choice: found.choice}
		r := w.walk(start.copy())
		better := r.ok && len(r.legs) <= len(best.legs) && r.rollouts() <= most
		if better && r.noWorse(ix, best) {
			best = r
			return true
		}
		return false
	}
	try(late(ix, start, a, found), best.rollouts()) // late is better also where it saves nothing: nobody is ahead at a stop
	tries := 8 + effort/(1+cost)
	m := rolled(best, len(start.live))
	for l := len(found.legs) - 2; l >= 0; l-- {
		for c := range start.live {
			if l >= len(m)-1 || !m[l][c] || tries == 0 {
				continue
			}
			m[l][c] = false
			tries--
			if try(m, best.rollouts()-1) {
				m = rolled(best, len(start.live))
			} else {
				m[l][c] = true
			}
		}
	}
	return best
}

// rollouts counts the components that are brought to another release.
func (r route) rollouts() int {
	n := 0
	for _, l := range r.legs {
		for _, m := range l.moves {
			if m.kind != DoHalt {
				n += len(m.hops)
			}
		}
	}
	return n
}

// downtime sums what runs in legs that halt something.
func (r route) downtime(ix *index) time.Duration {
	var sum time.Duration
	for _, l := range r.legs {
		down := false
		for _, m := range l.moves {
			down = down || m.kind == DoHalt
			for _, s := range m.steps {
				if down {
					sum += ix.cat.Steps[s].Estimate
				}
			}
		}
	}
	return sum
}

// halts tells whether something is stopped on the way.
func (r route) halts() bool { return r.halted() > 0 }

// halted counts what is stopped on the way.
func (r route) halted() int {
	n := 0
	for _, l := range r.legs {
		for _, m := range l.moves {
			if m.kind == DoHalt {
				n++
			}
		}
	}
	return n
}

// noWorse tells whether a route stops no more than another, and not for longer.
func (r route) noWorse(ix *index, than route) bool {
	return r.halted() <= than.halted() && r.downtime(ix) <= than.downtime(ix)
}

// rolled gives the mask that allows exactly the rolls of a route. In the last
// leg everything may roll.
func rolled(r route, components int) mask {
	m := newMask(len(r.legs), components)
	for n, l := range r.legs {
		for _, mv := range l.moves {
			for _, h := range mv.hops {
				m[n][h.component] = true
			}
		}
	}
	return m
}

func newMask(legs, components int) mask {
	m := make(mask, legs)
	for n := range m {
		m[n] = make([]bool, components)
	}
	if legs > 0 {
		for c := range m[legs-1] {
			m[legs-1][c] = true
		}
	}
	return m
}

// late gives the mask by which each component stays where it is until the leg
// before the first step that it could not live with. Later is never worse: what
// may start only grows.
func late(ix *index, start *progress, a aim, found route) mask {
	m := newMask(len(found.legs), len(start.live))
	reach := reached(found, start)
	now := append([][]int(nil), start.live...)
	for n, l := range found.legs {
		for _, mv := range l.moves {
			for _, h := range mv.hops {
				if mv.kind != DoRoll || len(h.from) == 0 {
					now[h.component] = place(h.to)
				}
			}
			for _, s := range mv.steps {
				for _, c := range ix.users[ix.store[s]] {
					if n > 0 && !start.allMeet(c, now[c], s) {
						m[n-1][c] = true
						now[c] = reach[n-1][c]
					}
				}
			}
		}
	}
	return m
}

// reached gives what runs after each leg.
func reached(r route, start *progress) [][][]int {
	now := append([][]int(nil), start.live...)
	out := make([][][]int, len(r.legs))
	for n, l := range r.legs {
		for _, m := range l.moves {
			for _, h := range m.hops {
				now[h.component] = place(h.to)
			}
		}
		out[n] = append([][]int(nil), now...)
	}
	return out
}
