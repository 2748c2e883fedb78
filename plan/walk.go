package plan

import "sort"

// move is one action of a draft, in numbers.
type move struct {
	kind  ActionKind
	steps []int // DoStep: one; DoSwitch: the cutovers
	hops  []hop // DoRoll, DoHalt: one; DoSwitch: one or more
	away  bool  // a step that runs while a component is halted
}

// hop is one component going from what runs to another release.
type hop struct {
	component int
	from      []int
	to        int // lowest that will do, once settled; NoRelease: halted
	upto      int
}

// leg is a draft of a leg: steps, then switches, then rolls.
type leg struct{ moves []move }

// route is a draft of a plan.
type route struct {
	legs []leg
	rest []move    // after the last rollout; filled in once the legs are settled
	ok   bool      // the goal is reached
	end  *progress // where it leads, or where it is stuck

	choice [][]int // what was chosen for it; nil: always the highest
}

// mask says in which leg which component may roll; nil: in every leg.
type mask [][]bool // leg -> component

func (m mask) allows(leg, c int) bool {
	return m == nil || leg < len(m) && m[leg][c]
}

// walker finds a way forward: every step that is allowed, then every switch,
// then every component to the highest release that may start, and again.
// Because an allowed action stays allowed while others go forward, this takes
// the fewest stops wherever the releases that have more follow on those that
// have less.
type walker struct {
	ix     *index
	aim    aim
	mask   mask
	choice [][]int // leg -> component -> release to go to, or NoRelease to stay; nil: the highest
}

// walk goes from p, which it changes, to the goal.
func (w *walker) walk(p *progress) route {
	out := route{end: p, choice: w.choice}
	for !w.aim.reached(p) {
		l, moved := w.leg(p, len(out.legs))
		if !moved && !w.aim.reached(p) {
			if l, moved = w.offline(p, l); !moved {
				return out
			}
			l.moves = w.rolls(p, len(out.legs), l.moves, true)
		}
		out.legs = append(out.legs, l)
	}
	out.legs = w.early(p, out.legs)
	out.ok = true
	return out
}

// leg goes one leg. moved tells whether a component went anywhere.
func (w *walker) leg(p *progress, n int) (l leg, moved bool) {
	l.moves = w.steps(p, nil)
	if w.aim.reached(p) {
		return l, false
	}
	before := len(l.moves)
	l.moves = w.switches(p, n, l.moves)
	l.moves = w.rolls(p, n, l.moves, false)
	return l, len(l.moves) > before
}

// early runs what nobody waits for and nothing forbids where no leg is needed.
func (w *walker) early(p *progress, legs []leg) []leg {
	if len(legs) > 0 {
		return legs
	}
	if moves := w.steps(p, nil); len(moves) > 0 {
		return []leg{{moves: moves}}
	}
	return legs
}

// steps runs every step that is allowed now, to a fixpoint.
func (w *walker) steps(p *progress, moves []move) []move {
	for grown := true; grown; {
		grown = false
		for s := range w.ix.line {
			for w.next(p, s) {
				i := w.ix.line[s][p.pos[s]]
				moves = append(moves, w.ix.alone(i))
				p.finish(i)
				grown = true
			}
		}
		for _, i := range w.aim.mid {
			if !p.done[i] && p.may(i) {
				moves = append(moves, w.ix.alone(i))
				p.finish(i)
				grown = true
			}
		}
	}
	return moves
}

// next tells whether the first pending step of a store may run now. Steps that
// nobody waits for run on the way only if they shut nobody out.
func (w *walker) next(p *progress, store int) bool {
	if p.pos[store] >= w.aim.limit[store] {
		return false
	}
	i := w.ix.line[store][p.pos[store]]
	if p.pos[store] >= w.aim.upto[store] && (w.ix.writers[i] != noMark || w.ix.readers[i] != noMark || w.ix.cat.Steps[i].Offline) {
		return false
	}
	return p.may(i)
}

// rolls lets every component jump to the highest release that may start now,
// again and again, because one may wait for another. With home set, going to the
// target is allowed whatever the mask says: it costs no rollout that would not
// come anyway.
func (w *walker) rolls(p *progress, n int, moves []move, home bool) []move {
	for grown := true; grown; {
		grown = false
		for c := range p.live {
			if len(p.live[c]) == 0 || !home && !w.mask.allows(n, c) {
				continue
			}
			if to := w.pick(p, n, c); to != NoRelease && (w.mask.allows(n, c) || home && to == w.aim.release) {
				moves = append(moves, move{kind: DoRoll, hops: []hop{{component: c, from: p.live[c], to: to, upto: to}}})
				p.live[c] = []int{to}
				grown = true
			}
		}
	}
	return moves
}

// pick gives the release that a component goes to now, or NoRelease.
func (w *walker) pick(p *progress, n, c int) int {
	if w.ix.cat.Implicit {
		return NoRelease
	}
	if w.choice != nil && n < len(w.choice) {
		to := w.choice[n][c]
		if to != NoRelease && w.candidate(p, c, to) && p.gate(c, to) {
			return to
		}
		return NoRelease
	}
	return w.highest(p, c)
}

// highest gives the release with the most that a component may go to now. Along
// the chain each release needs at least what the one before it needs, so that
// those that need too much are skipped at once.
func (w *walker) highest(p *progress, c int) int {
	best := w.special(p, c)
	for i := w.within(p, c) - 1; i >= 0; i-- {
		r := w.ix.chain[i]
		if best != NoRelease && w.ix.order.above(best, r) || w.beneath(p.live[c], r) {
			break
		}
		if w.candidate(p, c, r) && p.gate(c, r) {
			return r
		}
	}
	return best
}

// special gives the best of the releases that are not in the chain: those that
// picked things out of later ones, and a target that is not listed.
func (w *walker) special(p *progress, c int) int {
	best := NoRelease
	try := func(r int) {
		if (best == NoRelease || !w.ix.order.above(best, r)) && w.candidate(p, c, r) && p.gate(c, r) {
			best = r
		}
	}
	if t := w.aim.release; t != NoRelease && w.ix.cat.Releases[t].Unlisted {
		try(t)
	}
	for i := len(w.ix.picky) - 1; i >= 0; i-- {
		try(w.ix.picky[i])
	}
	return best
}

// within counts the releases of the chain that do not need more than is done,
// and have no more than the target.
func (w *walker) within(p *progress, c int) int {
	rank := len(w.ix.order.marks)
	if w.aim.release != NoRelease {
		rank = w.ix.order.rank[w.aim.release]
	}
	for s, role := range w.ix.role[c] {
		if role != Unused {
			rank = min(rank, p.reach[s])
		}
	}
	return sort.Search(len(w.ix.chain), func(i int) bool { return w.ix.order.rank[w.ix.chain[i]] > rank })
}

// beneath tells whether release r and all before it in the chain lack something
// that runs.
func (w *walker) beneath(live []int, r int) bool {
	for _, x := range live {
		if w.ix.order.rank[r] < w.ix.order.rank[x] {
			return true
		}
	}
	return len(live) == 1 && r == live[0]
}

// candidate tells whether a component may be brought to release r at all.
func (w *walker) candidate(p *progress, c, r int) bool {
	rel := w.ix.cat.Releases[r]
	if rel.Withdrawn || rel.Unlisted && r != w.aim.release {
		return false
	}
	if w.aim.release != NoRelease && !w.ix.order.above(w.aim.release, r) {
		return false
	}
	return w.ahead(p.live[c], r)
}

// ahead tells whether release r is above all that runs, and something else.
func (w *walker) ahead(live []int, r int) bool {
	if only(live, r) {
		return false
	}
	for _, x := range live {
		if !w.ix.order.above(r, x) {
			return false
		}
	}
	return true
}

// rest runs what is wanted once the fleet is where it should be: first what
// nobody waited for, then the contracts. A contract that another step requires
// goes before the others.
func (w *walker) rest(p *progress) []move {
	var moves []move
	awaited := w.awaited()
	run := func(i int) {
		moves = append(moves, w.ix.alone(i))
		p.finish(i)
	}
	for {
		for i := w.restStep(p); i >= 0; i = w.restStep(p) {
			run(i)
		}
		i := w.restContract(p, awaited, 0)
		if i < 0 {
			break
		}
		run(i)
	}
	for i := w.restContract(p, nil, 0); i >= 0; i = w.restContract(p, nil, i+1) {
		run(i)
	}
	return moves
}

// restStep gives the next step of a line that may run; -1: none.
func (w *walker) restStep(p *progress) int {
	for s, line := range w.ix.line {
		if p.pos[s] < w.aim.limit[s] && p.may(line[p.pos[s]]) {
			return line[p.pos[s]]
		}
	}
	return -1
}

// restContract gives the next contract from a place in the list on that may run,
// among some of them if those are given; -1: none.
func (w *walker) restContract(p *progress, among []bool, from int) int {
	for i := from; i < len(w.ix.cat.Steps); i++ {
		if w.ix.cat.Steps[i].ID.Kind == Contract && w.aim.wanted[i] && !p.done[i] && (among == nil || among[i]) && p.may(i) {
			return i
		}
	}
	return -1
}

// awaited tells which steps a wanted one requires.
func (w *walker) awaited() []bool {
	out := make([]bool, len(w.ix.cat.Steps))
	for i, in := range w.aim.wanted {
		if !in {
			continue
		}
		for _, r := range w.ix.requires[i] {
			out[r] = true
		}
	}
	return out
}
