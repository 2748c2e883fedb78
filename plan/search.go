package plan

import (
	"fmt"
	"strings"
)

// These bound a search. Beyond them the way found by always going to the
// highest release is taken.
const (
	searching   = 2_000_000 // rule checks, roughly
	manyChoices = 512       // choices looked at from one place
)

// shortest gives a way with the fewest stops. Where every release has all that
// the one before it has, always going to the highest is best. Where a side line
// picked single things out of later releases, what is best must be searched
// for.
func shortest(ix *index, start *progress, a aim) route {
	w := walker{ix: ix, aim: a}
	plain := w.walk(start.copy())
	if !w.branches(start) || plain.ok && len(plain.legs) < 2 || plain.halts() {
		return plain
	}
	if found, ok := w.search(start, plain); ok {
		return found
	}
	return plain
}

// branches tells whether a component could be brought to a release that picked
// single things out of later ones.
func (w *walker) branches(p *progress) bool {
	for r, odd := range w.ix.order.odd {
		for c := range p.live {
			if len(odd) > 0 && len(p.live[c]) > 0 && w.candidate(p, c, r) {
				return true
			}
		}
	}
	return false
}

// spotted is a place that a search has come to.
type spotted struct {
	at     *progress
	choice [][]int
}

// search goes breadth first, one leg at a time, through every choice of
// releases. It gives the first way that is shorter than plain.
func (w *walker) search(start *progress, plain route) (route, bool) {
	level := []spotted{{at: start.copy()}}
	seen := map[string]bool{}
	tries := searching / (1 + len(w.ix.cat.Steps) + len(w.ix.stores)*len(start.live))
	for depth := 1; len(level) > 0; depth++ {
		if plain.ok && depth >= len(plain.legs) {
			return route{}, false
		}
		var next []spotted
		for _, spot := range level {
			w.steps(spot.at, nil)
			for _, vector := range w.vectors(spot.at) {
				if tries--; tries < 0 {
					return route{}, false
				}
				q := spot.at.copy()
				choice := append(append([][]int(nil), spot.choice...), vector)
				one := walker{ix: w.ix, aim: w.aim, choice: choice}
				if _, moved := one.leg(q, len(spot.choice)); !moved {
					continue
				}
				if found, ok := w.retrace(start, q, choice); ok {
					return found, true
				}
				if k := q.key(); !seen[k] {
					seen[k] = true
					next = append(next, spotted{at: q, choice: choice})
				}
			}
		}
		level = next
	}
	return route{}, false
}

// retrace walks the whole way again once the steps after a choice reach the
// goal, now staying where the way has been rather than where it began.
func (w *walker) retrace(start, q *progress, choice [][]int) (route, bool) {
	end := q.copy()
	w.steps(end, nil)
	if !w.aim.reached(end) {
		return route{}, false
	}
	again := walker{ix: w.ix, aim: w.aim, choice: choice}
	r := again.walk(start.copy())
	if !r.ok {
		return route{}, false
	}
	r.choice = stays(r, start)
	return r, true
}

// stays gives for each leg where everything is after it: a component that may
// come later may go there as well.
func stays(r route, start *progress) [][]int {
	out := make([][]int, len(r.legs))
	for n, live := range reached(r, start) {
		out[n] = make([]int, len(live))
		for c, releases := range live {
			out[n][c] = NoRelease
			if len(releases) == 1 {
				out[n][c] = releases[0]
			}
		}
	}
	return out
}

// vectors lists the choices of a release for each component, or to stay.
func (w *walker) vectors(p *progress) [][]int {
	out := [][]int{make([]int, 0, len(p.live))}
	for c := range p.live {
		options := w.options(p, c)
		if len(out)*len(options) > manyChoices {
			options = options[:1]
		}
		var longer [][]int
		for _, v := range out {
			for _, to := range options {
				longer = append(longer, append(v[:len(v):len(v)], to))
			}
		}
		out = longer
	}
	return out
}

// options lists where a component may go, once cutovers that are due are made,
// and that it may stay. Releases that nothing tells apart are one option.
func (w *walker) options(p *progress, c int) []int {
	var out []int
	due := p.copy()
	for _, i := range w.due(p) {
		due.finish(i)
	}
	seen := map[string]bool{}
	for r := len(w.ix.cat.Releases) - 1; r >= 0; r-- {
		if len(p.live[c]) == 0 || !w.candidate(p, c, r) || !due.provided(c, r) {
			continue
		}
		k := fmt.Sprint(w.ix.order.rank[r], w.ix.order.odd[r], w.ix.cat.Releases[r].Peers, r == w.aim.release)
		if !seen[k] {
			seen[k] = true
			out = append(out, r)
		}
	}
	return append(out, NoRelease)
}

// key names what is done and what runs.
func (p *progress) key() string {
	var b strings.Builder
	for _, d := range p.done {
		if d {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	fmt.Fprint(&b, p.live)
	return b.String()
}
