package plan

// backer answers where one can go back to. Answers are shared between actions
// that do not change them.
type backer struct {
	ix    *index
	start *progress
	plain []int // listed releases of the main line that are not withdrawn, ascending
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
	b := backer{ix: ix, start: start.copy(), seen: make([]backKey, len(start.live))}
	for r, rel := range ix.cat.Releases {
		if !rel.Withdrawn && !rel.Unlisted {
			b.plain = append(b.plain, r)
		}
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
		if !b.ix.peers() && b.seen[c] == key {
			out = append(out, b.find(c))
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

func (b *backer) find(c int) BackTo {
	for _, x := range b.last {
		if x.Component == b.ix.cat.Components[c].Name {
			return x
		}
	}
	return BackTo{Component: b.ix.cat.Components[c].Name}
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
	var list []int
	extra := b.start.live[c]
	for _, r := range b.plain {
		for len(extra) > 0 && extra[0] <= r {
			if extra[0] < r && b.passes(p, c, extra[0], upper) && !b.ix.cat.Releases[extra[0]].Withdrawn {
				list = append(list, extra[0])
			}
			extra = extra[1:]
		}
		if b.passes(p, c, r, upper) {
			list = append(list, r)
		}
	}
	return list
}

func (b *backer) passes(p *progress, c, r, upper int) bool {
	return b.ix.order.above(upper, r) && p.gate(c, r)
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
