package plan

import "sort"

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
