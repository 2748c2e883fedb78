package plan

// progress is where stores and fleet stand, in numbers. It only ever goes
// forward: steps get done, floors rise, releases go up.
type progress struct {
	ix     *index
	done   []bool  // by step; a step that is not applicable counts as done
	pos    []int   // by store: steps of its line done without a gap
	reach  []int   // by store: how many marks a release may have without needing more than is done
	live   [][]int // by component, ascending
	floors []inForce
}

// inForce are the floors in force on one store.
type inForce struct{ writers, readers floorSet }

// floorSet holds floors as marks. top is the newest; all is what a release that
// picked single marks is asked for one by one.
type floorSet struct {
	top int
	all []floor
}

// floor is one floor in force and what put it there.
type floor struct {
	mark int
	step int    // -1: not a step of this catalogue
	text string // then: what put it there, as the ledger tells
}

func newProgress(ix *index, state State) *progress {
	p := &progress{
		ix:     ix,
		done:   make([]bool, len(ix.cat.Steps)),
		pos:    make([]int, len(ix.stores)),
		reach:  make([]int, len(ix.stores)),
		live:   make([][]int, len(ix.cat.Components)),
		floors: make([]inForce, len(ix.stores)),
	}
	for s := range p.floors {
		p.floors[s] = inForce{writers: floorSet{top: noMark}, readers: floorSet{top: noMark}}
	}
	for c, component := range ix.cat.Components {
		p.live[c] = ascending(state.Fleet[component.Name])
	}
	for i, step := range ix.cat.Steps {
		p.done[i] = state.Done[step.ID] || step.Skip != ""
		if state.Done[step.ID] || state.Begun[step.ID] {
			p.raise(i)
		}
	}
	for _, f := range state.Floors {
		entry := floor{mark: ix.order.of(f.Release), step: -1, text: f.Because}
		on := &p.floors[ix.storeOf[f.Store]]
		if f.Role == ReadWrite {
			on.writers.add(entry)
		} else {
			on.readers.add(entry)
		}
	}
	for s := range p.pos {
		p.advance(s)
	}
	return p
}

func (f *floorSet) add(entry floor) {
	if entry.mark == noMark {
		return
	}
	for _, old := range f.all {
		if old.mark == entry.mark {
			return
		}
	}
	f.top = max(f.top, entry.mark)
	f.all = append(f.all, entry)
}

// raise puts a step's floors in force.
func (p *progress) raise(step int) {
	on := &p.floors[p.ix.store[step]]
	on.writers.add(floor{mark: p.ix.writers[step], step: step})
	on.readers.add(floor{mark: p.ix.readers[step], step: step})
}

// advance moves a store's position over what is done.
func (p *progress) advance(store int) {
	line := p.ix.line[store]
	for p.pos[store] < len(line) && p.done[line[p.pos[store]]] {
		p.pos[store]++
	}
	for p.reach[store]+1 < len(p.ix.need[store]) && p.ix.need[store][p.reach[store]+1] <= p.pos[store] {
		p.reach[store]++
	}
}

// finish marks a step as begun and done.
func (p *progress) finish(step int) {
	p.raise(step)
	p.done[step] = true
	p.advance(p.ix.store[step])
}

// copy gives a progress that can go its own way.
func (p *progress) copy() *progress {
	q := *p
	q.done = append([]bool(nil), p.done...)
	q.pos = append([]int(nil), p.pos...)
	q.reach = append([]int(nil), p.reach...)
	q.live = append([][]int(nil), p.live...)
	q.floors = append([]inForce(nil), p.floors...)
	for s := range q.floors {
		// An append to one of the two must not be seen in the other.
		q.floors[s].writers.all = clip(q.floors[s].writers.all)
		q.floors[s].readers.all = clip(q.floors[s].readers.all)
	}
	return &q
}

func clip(all []floor) []floor { return all[:len(all):len(all)] }

// shut gives the first floor of a set that release r does not meet; found is
// false if it meets all.
func (p *progress) shut(set floorSet, r int) (entry floor, found bool) {
	if set.top < p.ix.order.rank[r] {
		return floor{}, false
	}
	for _, f := range set.all {
		if !p.ix.order.has(r, f.mark) {
			return f, true
		}
	}
	return floor{}, false
}

// welcome tells whether the floors in force on a store let release r of a
// component with that role in.
func (p *progress) welcome(store int, role Role, r int) bool {
	if role == Unused {
		return true
	}
	if _, shut := p.shut(p.floors[store].readers, r); shut {
		return false
	}
	if role == ReadOnly {
		return true
	}
	_, shut := p.shut(p.floors[store].writers, r)
	return !shut
}

// provided tells whether every step that release r of component c needs is
// done.
func (p *progress) provided(c, r int) bool {
	for s, role := range p.ix.role[c] {
		if role != Unused && p.ix.needs(r, s) > p.pos[s] {
			return false
		}
	}
	for _, a := range p.ix.asked {
		if !p.done[a.step] && p.ix.role[c][p.ix.store[a.step]] != Unused && p.ix.order.has(r, a.mark) {
			return false
		}
	}
	return true
}

// peered tells whether the other components are as release r wants them. A
// component without an instance holds nothing back.
func (p *progress) peered(r int) bool {
	for _, peer := range p.ix.cat.Releases[r].Peers {
		mark := p.ix.order.of(peer.AtLeast)
		for _, x := range p.live[p.ix.component[peer.Component]] {
			if !p.ix.order.has(x, mark) {
				return false
			}
		}
	}
	return true
}

// gate is R1: may release r of component c start?
func (p *progress) gate(c, r int) bool {
	for s, role := range p.ix.role[c] {
		if !p.welcome(s, role, r) {
			return false
		}
	}
	return p.provided(c, r) && p.peered(r)
}

// meets tells whether release r of component c can live with a step.
func (p *progress) meets(c, r, step int) bool {
	role := p.ix.role[c][p.ix.store[step]]
	if role == Unused {
		return true
	}
	if m := p.ix.readers[step]; m != noMark && !p.ix.order.has(r, m) {
		return false
	}
	m := p.ix.writers[step]
	return role == ReadOnly || m == noMark || p.ix.order.has(r, m)
}

// allMeet tells whether all of a component's releases can live with a step.
func (p *progress) allMeet(c int, live []int, step int) bool {
	for _, r := range live {
		if !p.meets(c, r, step) {
			return false
		}
	}
	return true
}

// prepared tells whether all that a step builds on is done.
func (p *progress) prepared(step int) bool {
	if p.ix.at[step] > p.pos[p.ix.store[step]] {
		return false
	}
	for _, r := range p.ix.requires[step] {
		if !p.done[r] {
			return false
		}
	}
	return true
}

// bars tells whether an instance of component c keeps a step from beginning.
func (p *progress) bars(c, step int) bool {
	if p.ix.cat.Steps[step].Offline && len(p.live[c]) > 0 && p.ix.role[c][p.ix.store[step]] == ReadWrite {
		return true
	}
	return !p.allMeet(c, p.live[c], step)
}

// inTheWay lists the components that keep a step from beginning.
func (p *progress) inTheWay(step int) []int {
	var list []int
	for _, c := range p.ix.users[p.ix.store[step]] {
		if p.bars(c, step) {
			list = append(list, c)
		}
	}
	return list
}

// may is R2: may the step begin?
func (p *progress) may(step int) bool {
	if !p.prepared(step) {
		return false
	}
	for _, c := range p.ix.users[p.ix.store[step]] {
		if p.bars(c, step) {
			return false
		}
	}
	return true
}
