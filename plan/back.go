package plan

import "sort"

// backer answers where one can go back to. Answers are shared between actions
// that do not change them.
type backer struct {
	ix    *index
	start *progress
	open  [][]int // by component: the releases that could be gone back to, ascending
	peers bool    // a release has conditions on other components
	tidy  bool    // later releases always have what earlier ones have
	last  []BackTo
	seen  []backKey // by component: what last was computed from
}

// backKey is what an answer depends on, but for peers.
type backKey struct {
	release int
	floors  int
	known   bool
}

func newBacker(ix *index, start *progress) backer {
	b := backer{ix: ix, start: start.copy(), seen: make([]backKey, len(start.live)), peers: ix.peers()}
	b.tidy = !b.peers && len(ix.picky) == 0 && sort.IntsAreSorted(ix.chain)
	listed := ascending(append(append([]int(nil), ix.chain...), ix.picky...))
	for _, live := range start.live {
		open := listed
		for _, r := range live {
			if rel := ix.cat.Releases[r]; rel.Unlisted && !rel.Withdrawn {
				open = ascending(append(append([]int(nil), open...), r))
				b.tidy = b.tidy && rel.Line == "" && len(ix.order.odd[r]) == 0
			}
		}
		b.open = append(b.open, open)
	}
	return b
}

// after gives, for each component with instances, the releases at or below its
// own whose gate passes now.
func (b *backer) after(p *progress) []BackTo {
	if b.ix.cat.Implicit {
		return nil
	}
	var out []BackTo
	changed := false
	for c, live := range p.live {
		if len(live) == 0 && len(b.start.live[c]) == 0 {
			continue
		}
		key := backKey{release: b.upper(p, c), floors: b.floorsOn(p, c), known: true}
		if !b.peers && b.seen[c] == key {
			out = append(out, b.last[len(out)])
			continue
		}
		changed, b.seen[c] = true, key
		out = append(out, BackTo{Component: b.ix.cat.Components[c].Name, Releases: b.passing(p, c, key.release)})
	}
	if !changed && len(out) == len(b.last) {
		return b.last
	}
	b.last = out
	return out
}

// upper is the newest release that runs of a component, or ran before a halt.
func (b *backer) upper(p *progress, c int) int {
	if live := p.live[c]; len(live) > 0 {
		return live[len(live)-1]
	}
	return b.start.live[c][len(b.start.live[c])-1]
}

// floorsOn counts the floors in force that concern a component; they only grow.
func (b *backer) floorsOn(p *progress, c int) int {
	n := 0
	for s, role := range b.ix.role[c] {
		if role != Unused {
			n += len(p.floors[s].writers.all) + len(p.floors[s].readers.all)
		}
	}
	return n
}

// passing lists the releases at or below upper whose gate passes.
func (b *backer) passing(p *progress, c, upper int) []int {
	if b.tidy && len(b.ix.order.odd[upper]) == 0 {
		return b.interval(p, c, upper)
	}
	var list []int
	for _, r := range b.open[c] {
		if b.ix.order.above(upper, r) && p.gate(c, r) {
			list = append(list, r)
		}
	}
	return list
}

// interval is passing where releases are in the order of what they have: floors
// cut off the old ones, and nothing is needed for going back.
func (b *backer) interval(p *progress, c, upper int) []int {
	open := b.open[c]
	end := sort.SearchInts(open, upper+1)
	first := sort.Search(end, func(i int) bool {
		for s, role := range b.ix.role[c] {
			if !p.welcome(s, role, open[i]) {
				return false
			}
		}
		return true
	})
	for end > first && !p.gate(c, open[end-1]) {
		end--
	}
	return open[first:end:end]
}

// peers tells whether any release has conditions on other components.
func (ix *index) peers() bool {
	for _, r := range ix.cat.Releases {
		if len(r.Peers) > 0 {
			return true
		}
	}
	return false
}
