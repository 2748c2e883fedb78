package plan

import (
	"fmt"
	"strings"
)

// reasons puts into words why each move of a draft is there.
type reasons struct {
	ix    *index
	aim   aim
	start *progress
	moves []move // of the whole draft, in order
	at    int    // the move that is asked for next
	first []int  // step -> the first release that needs it or what follows it, or NoRelease
	for_  []int  // step -> the step because of which it is needed, or -1
}

func newReasons(ix *index, a aim, start *progress, found route) *reasons {
	r := &reasons{ix: ix, aim: a, start: start}
	for _, l := range found.legs {
		r.moves = append(r.moves, l.moves...)
	}
	r.moves = append(r.moves, found.rest...)
	r.trace()
	return r
}

// trace finds for each step what it is needed for: its own needs, else the next
// step of its line that has some, else a step that requires it.
func (r *reasons) trace() {
	n := len(r.ix.cat.Steps)
	r.first, r.for_ = make([]int, n), make([]int, n)
	for i, s := range r.ix.cat.Steps {
		r.first[i], r.for_[i] = s.Needs, -1
	}
	for _, line := range r.ix.line {
		for k := len(line) - 2; k >= 0; k-- {
			i, next := line[k], line[k+1]
			if r.first[i] != NoRelease || !r.aim.needed[next] {
				continue
			}
			r.first[i], r.for_[i] = r.first[next], next
			if r.for_[next] >= 0 && r.ix.cat.Steps[next].Needs == NoRelease {
				r.for_[i] = r.for_[next]
			}
		}
	}
	for i := range r.ix.cat.Steps {
		if !r.aim.needed[i] {
			continue
		}
		for _, q := range r.ix.requires[i] {
			if r.first[q] == NoRelease && r.for_[q] < 0 {
				r.first[q], r.for_[q] = r.first[i], i
			}
		}
	}
}

// because gives the reason of the next move. p is where things stand before it.
func (r *reasons) because(p *progress, m move, leg int) string {
	r.at++
	switch m.kind {
	case DoRoll:
		return r.roll(p, m.hops[0])
	case DoSwitch:
		return r.cutover(m)
	case DoHalt:
		return r.halt(m)
	}
	return r.step(m.steps[0])
}

// step says who needs a step.
func (r *reasons) step(i int) string {
	s := r.ix.cat.Steps[i]
	if s.ID.Kind == Contract && !r.aim.needed[i] {
		return r.contract(i)
	}
	if s.Needs != NoRelease && r.aim.needed[i] {
		return r.needers(i, s.Needs) + " it"
	}
	if f := r.for_[i]; f >= 0 && r.aim.needed[i] {
		word := "comes before "
		if r.ix.store[f] != r.ix.store[i] || s.ID.Kind == Contract {
			word = "is required by "
		}
		text := word + r.ix.cat.Steps[f].ID.String()
		if r.first[i] != NoRelease {
			text += ", and " + r.needers(f, r.first[i]) + " that"
		}
		return text
	}
	if r.ix.cat.Implicit {
		return "is pending"
	}
	if r.aim.needed[i] {
		return "is asked for"
	}
	return "is pending, and no release waits for it"
}

// needers says which components need a step of a store, from which release on:
// "api and worker 1.6 need".
func (r *reasons) needers(step, release int) string {
	var names []string
	for _, c := range r.ix.users[r.ix.store[step]] {
		names = append(names, r.ix.cat.Components[c].Name)
	}
	if len(names) == 0 {
		return "release " + r.ix.id(release) + " needs"
	}
	verb := " need"
	if len(names) == 1 {
		verb = " needs"
	}
	return list(names) + " " + r.ix.id(release) + verb
}

// list joins names as a person would.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// contract says by which floors a contract is allowed at the end.
func (r *reasons) contract(i int) string {
	floors := r.ix.floorText(i)
	if floors == "" {
		return "nothing needs the old form any more"
	}
	return "the whole fleet meets " + floors + " by then"
}

// floorText gives the floors of a step: "writers 1.5 and readers 1.6".
func (ix *index) floorText(i int) string {
	var parts []string
	if m := ix.writers[i]; m != noMark {
		parts = append(parts, "writers "+ix.id(ix.order.marks[m]))
	}
	if m := ix.readers[i]; m != noMark {
		parts = append(parts, "readers "+ix.id(ix.order.marks[m]))
	}
	return list(parts)
}

// roll says which later step or peer a component has to move for.
func (r *reasons) roll(p *progress, h hop) string {
	name := r.ix.cat.Components[h.component].Name
	if len(h.from) == 0 {
		return fmt.Sprintf("%s was halted and may start again", name)
	}
	if h.to == r.aim.release {
		return r.ix.id(h.to) + " is the target"
	}
	for _, m := range r.moves[r.at:] {
		for _, s := range m.steps {
			if !p.allMeet(h.component, h.from, s) {
				return fmt.Sprintf("%s wants %s, and %s runs %s", r.ix.cat.Steps[s].ID, r.ix.floorText(s), name, r.ix.ids(h.from))
			}
		}
		if text, found := r.peer(p, h, m); found {
			return text
		}
		if moves(m, h.component) {
			break
		}
	}
	return "it is on the way"
}

func moves(m move, c int) bool {
	for _, h := range m.hops {
		if h.component == c {
			return true
		}
	}
	return false
}

// peer says whether a move of another component waits for this one.
func (r *reasons) peer(p *progress, h hop, m move) (string, bool) {
	for _, other := range m.hops {
		if other.to == NoRelease {
			continue
		}
		for _, want := range r.ix.cat.Releases[other.to].Peers {
			mark := r.ix.order.of(want.AtLeast)
			if r.ix.component[want.Component] != h.component || other.component == h.component {
				continue
			}
			for _, x := range h.from {
				if !r.ix.order.has(x, mark) {
					return fmt.Sprintf("%s %s wants %s %s or later", r.ix.cat.Components[other.component].Name,
						r.ix.id(other.to), want.Component, r.ix.id(want.AtLeast)), true
				}
			}
		}
	}
	return "", false
}

// ids joins the ids of releases.
func (ix *index) ids(releases []int) string {
	names := make([]string, len(releases))
	for i, r := range releases {
		names[i] = ix.id(r)
	}
	return list(names)
}

// cutover says why components roll and cut over at once.
func (r *reasons) cutover(m move) string {
	var names, steps []string
	for _, h := range m.hops {
		names = append(names, r.ix.cat.Components[h.component].Name)
	}
	for _, s := range m.steps {
		steps = append(steps, r.ix.cat.Steps[s].ID.String())
	}
	return fmt.Sprintf("from %s on only the new form is written, so %s cannot go before or after it; %s",
		list(steps), list(names), r.step(m.steps[0]))
}

// halt says for which step a component is stopped.
func (r *reasons) halt(m move) string {
	name := r.ix.cat.Components[m.hops[0].component].Name
	for _, later := range r.moves[r.at:] {
		for _, s := range later.steps {
			step := r.ix.cat.Steps[s]
			if step.Offline {
				return fmt.Sprintf("%s runs only while no writer of %s is alive", step.ID, step.ID.Store)
			}
			if !r.start.allMeet(m.hops[0].component, m.hops[0].from, s) {
				return fmt.Sprintf("%s wants %s, and no release of %s can live on both sides", step.ID, r.ix.floorText(s), name)
			}
		}
	}
	return "it is in the way"
}

// shuts says which running or startable releases a step's floors shut out that
// were not shut out before: "main below 1.5 for writers".
func (r *reasons) shuts(p *progress, m move) string {
	var parts []string
	for _, s := range m.steps {
		on := p.floors[r.ix.store[s]]
		if w := r.ix.writers[s]; w != noMark && w > on.writers.top && w > on.readers.top {
			parts = append(parts, "writers below "+r.ix.id(r.ix.order.marks[w]))
		}
		if x := r.ix.readers[s]; x != noMark && x > on.readers.top {
			parts = append(parts, "readers below "+r.ix.id(r.ix.order.marks[x]))
		}
	}
	return list(parts)
}

// noReturn says what there is no way back to after a contract.
func (r *reasons) noReturn(step int) string {
	m := max(r.ix.writers[step], r.ix.readers[step])
	if m == noMark {
		return "no return without a restore"
	}
	return "no return below " + r.ix.id(r.ix.order.marks[m]) + " without a restore"
}

// later says why a pending step is not part of the plan.
func (r *reasons) later(p *progress, i int) string {
	s := r.ix.cat.Steps[i]
	if s.Needs != NoRelease && (r.aim.release == NoRelease || !r.ix.order.has(r.aim.release, r.ix.order.of(s.Needs))) {
		return "is needed from " + r.ix.id(s.Needs) + " on"
	}
	if text := r.ix.floorText(i); text != "" && r.aim.release != NoRelease {
		for _, m := range []int{r.ix.writers[i], r.ix.readers[i]} {
			if m != noMark && !r.ix.order.has(r.aim.release, m) {
				return "wants " + text + ", which " + r.ix.id(r.aim.release) + " does not meet"
			}
		}
	}
	if s.Offline && len(p.writersAlive(r.ix.store[i])) > 0 {
		return "runs only while no writer is alive"
	}
	return "comes after steps that are not part of this plan"
}
