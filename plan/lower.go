package plan

// lower widens each roll of a draft to the range of releases that will do, and
// takes the oldest of them: what is not needed need not be risked.
func lower(ix *index, start *progress, a aim, found route) route {
	if ix.cat.Implicit {
		return found
	}
	l := lowerer{walker: walker{ix: ix, aim: a}, now: start.copy()}
	floor := l.floors(found)
	last := make([]*hop, len(start.live))
	n := 0
	for i := range found.legs {
		for j := range found.legs[i].moves {
			m := &found.legs[i].moves[j]
			hops := append([]hop(nil), m.hops...)
			l.begin(*m)
			for k := range hops {
				hops[k].from = l.now.live[hops[k].component]
				l.widen(&hops[k], floor[n])
				n++
				l.cap(last[hops[k].component], hops[k].to)
				last[hops[k].component] = &hops[k]
				l.now.live[hops[k].component] = place(hops[k].to)
			}
			m.hops = hops
		}
	}
	return found
}

type lowerer struct {
	walker
	now *progress
}

// cap takes from an earlier hop's range what the next one does not lead on from.
func (l *lowerer) cap(earlier *hop, to int) {
	if earlier == nil || to == NoRelease {
		return
	}
	for earlier.upto > earlier.to && (earlier.upto == to || !l.ix.order.above(to, earlier.upto)) {
		earlier.upto--
	}
}

// begin carries out the steps of a move; its hops follow one by one.
func (l *lowerer) begin(m move) {
	for _, s := range m.steps {
		l.now.finish(s)
	}
}

// place is what runs after going to a release.
func place(to int) []int {
	if to == NoRelease {
		return nil
	}
	return []int{to}
}

// floors gives, for each hop in order, the newest mark that the release it goes
// to must have: of the steps and peers between it and the component's next hop.
func (l *lowerer) floors(r route) []int {
	wants := make([]int, len(l.now.live))
	for c := range wants {
		wants[c] = noMark
	}
	l.ask(wants, r.rest)
	var out []int
	for i := len(r.legs) - 1; i >= 0; i-- {
		for j := len(r.legs[i].moves) - 1; j >= 0; j-- {
			m := r.legs[i].moves[j]
			l.ask(wants, []move{m})
			for k := len(m.hops) - 1; k >= 0; k-- {
				c := m.hops[k].component
				out = append(out, wants[c])
				wants[c] = noMark
				l.askPeers(wants, m.hops[k].to)
			}
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func (l *lowerer) ask(wants []int, moves []move) {
	for _, m := range moves {
		for _, s := range m.steps {
			for _, c := range l.ix.users[l.ix.store[s]] {
				wants[c] = max(wants[c], l.ix.readers[s])
				if l.ix.role[c][l.ix.store[s]] == ReadWrite {
					wants[c] = max(wants[c], l.ix.writers[s])
				}
			}
		}
	}
}

func (l *lowerer) askPeers(wants []int, r int) {
	if r == NoRelease {
		return
	}
	for _, p := range l.ix.cat.Releases[r].Peers {
		c := l.ix.component[p.Component]
		wants[c] = max(wants[c], l.ix.order.of(p.AtLeast))
	}
}

// widen finds the oldest release of the main line that will do for a hop, and
// the newest up to which all will. The target itself is not varied, nor is a
// release on a side line, nor a start after a halt.
func (l *lowerer) widen(h *hop, mark int) {
	if h.to == NoRelease || len(h.from) == 0 || h.to == l.aim.release || l.ix.cat.Releases[h.to].Line != "" {
		return
	}
	newest := h.to
	oldest := newest
	for r := l.oldest(h.from, mark); r < newest; r++ {
		if l.does(h.component, r, mark) {
			oldest = r
			break
		}
	}
	h.to, h.upto = oldest, oldest
	for r := oldest + 1; r <= newest; r++ {
		if l.ix.cat.Releases[r].Line != "" || l.ix.cat.Releases[r].Unlisted {
			continue
		}
		if !l.does(h.component, r, mark) {
			return
		}
		h.upto = r
	}
}

// oldest is where looking begins.
func (l *lowerer) oldest(from []int, mark int) int {
	first := 0
	if len(from) > 0 {
		first = from[0]
	}
	if mark != noMark {
		first = max(first, l.ix.order.marks[mark])
	}
	return first
}

func (l *lowerer) does(c, r, mark int) bool {
	return l.ix.cat.Releases[r].Line == "" && (mark == noMark || l.ix.order.has(r, mark)) &&
		l.candidate(l.now, c, r) && l.now.gate(c, r)
}
