package plan

// move is one action of a draft, in numbers.
type move struct {
	kind  ActionKind
	steps []int // DoStep: one; DoSwitch: the cutovers
	hops  []hop // DoRoll, DoHalt: one; DoSwitch: one or more
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
