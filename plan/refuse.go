package plan

import "fmt"

// Allowed asks R2 for one step: may it begin now? A cutover may begin while
// older writers live, because the store fences them; all else must be right.
// Whether the step is done already is not asked.
func Allowed(cat Catalogue, state State, id StepID) Refusal {
	ix, p, err := open(cat, state)
	if err != nil {
		return Refusal{{Release: NoRelease, Step: id, Because: err.Error()}}
	}
	step, known := ix.step[id]
	if !known {
		return Refusal{{Release: NoRelease, Step: id, Because: "there is no step " + stepText(id)}}
	}
	return append(p.unprepared(step), p.tooOld(step)...)
}

// Ready asks R1, the gate: may this release of a component start now?
func Ready(cat Catalogue, state State, component string, release int) Refusal {
	ix, p, err := open(cat, state)
	if err != nil {
		return Refusal{{Component: component, Release: release, Because: err.Error()}}
	}
	c, known := ix.component[component]
	if !known {
		return Refusal{{Component: component, Release: release, Because: "component " + component + " is not declared"}}
	}
	if release < 0 || release >= len(cat.Releases) || !explained(cat, release) {
		return Refusal{{Component: component, Release: release,
			Because: fmt.Sprintf("%s: release %s is not one that this catalogue explains", component, ix.id(release))}}
	}
	return p.closed(c, release)
}

// unprepared says which steps a step still waits for.
func (p *progress) unprepared(step int) Refusal {
	var out Refusal
	ix := p.ix
	id := ix.cat.Steps[step].ID
	line, s := ix.line[ix.store[step]], ix.store[step]
	if ix.at[step] > p.pos[s] {
		first := ix.cat.Steps[line[p.pos[s]]].ID
		out = append(out, Reason{Release: NoRelease, Step: first, Because: fmt.Sprintf("%s comes after %s, which is not done", id, first)})
	}
	for _, r := range ix.requires[step] {
		if !p.done[r] {
			other := ix.cat.Steps[r].ID
			out = append(out, Reason{Release: NoRelease, Step: other, Because: fmt.Sprintf("%s requires %s, which is not done", id, other)})
		}
	}
	return out
}

// tooOld says which live releases a step cannot begin beside.
func (p *progress) tooOld(step int) Refusal {
	var out Refusal
	s := p.ix.cat.Steps[step]
	store := p.ix.store[step]
	for _, c := range p.ix.users[store] {
		for _, r := range p.live[c] {
			because := p.clash(step, c, r)
			if because == "" {
				continue
			}
			out = append(out, Reason{Component: p.ix.cat.Components[c].Name, Release: r, Step: s.ID, Because: because})
		}
	}
	return out
}

// clash says why a step cannot begin while release r of component c is alive;
// "" if it can.
func (p *progress) clash(step, c, r int) string {
	ix := p.ix
	s := ix.cat.Steps[step]
	name := ix.cat.Components[c].Name
	writes := ix.role[c][ix.store[step]] == ReadWrite
	if s.Offline && writes {
		return fmt.Sprintf("%s runs only while no writer of %s is alive, and %s runs %s", s.ID, s.ID.Store, name, ix.id(r))
	}
	if s.ID.Kind == Cutover && writes {
		return p.both(step, c, r)
	}
	if m := ix.readers[step]; m != noMark && !ix.order.has(r, m) {
		return fmt.Sprintf("%s wants readers %s, and %s runs %s", s.ID, ix.id(ix.order.marks[m]), name, ix.id(r))
	}
	if m := ix.writers[step]; writes && m != noMark && !ix.order.has(r, m) {
		return fmt.Sprintf("%s wants writers %s, and %s runs %s", s.ID, ix.id(ix.order.marks[m]), name, ix.id(r))
	}
	return ""
}

// both finds a writer that needs a cutover and runs before it, beside one that
// does not: each writes its own form, and no merge of the two is without loss.
func (p *progress) both(step, c, r int) string {
	ix := p.ix
	store := ix.store[step]
	if p.done[step] || ix.needs(r, store) <= ix.at[step] {
		return ""
	}
	for _, d := range ix.users[store] {
		for _, x := range p.live[d] {
			if ix.role[d][store] == ReadWrite && ix.needs(x, store) <= ix.at[step] {
				return fmt.Sprintf("%s %s writes the form that counts after %s, and %s %s still writes the one before it: two releases that both write, each its own form, cannot be merged without loss",
					ix.cat.Components[c].Name, ix.id(r), ix.cat.Steps[step].ID, ix.cat.Components[d].Name, ix.id(x))
			}
		}
	}
	return ""
}

// closed says why release r of component c may not start.
func (p *progress) closed(c, r int) Refusal {
	out := p.missing(c, r)
	out = append(out, p.shutOut(c, r)...)
	return append(out, p.lonely(c, r)...)
}

// missing says which steps a release needs that are not done: the first one of
// each store.
func (p *progress) missing(c, r int) Refusal {
	var out Refusal
	ix := p.ix
	name := ix.cat.Components[c].Name
	say := func(step int) {
		id := ix.cat.Steps[step].ID
		out = append(out, Reason{Component: name, Release: r, Step: id, Because: fmt.Sprintf("%s %s needs %s, which is not done", name, ix.id(r), id)})
	}
	for s, role := range ix.role[c] {
		if role != Unused && ix.needs(r, s) > p.pos[s] {
			say(ix.line[s][p.pos[s]])
		}
	}
	for _, a := range ix.asked {
		if !p.done[a.step] && ix.role[c][ix.store[a.step]] != Unused && ix.order.has(r, a.mark) {
			say(a.step)
		}
	}
	return out
}

// shutOut says which floors in force a release does not meet.
func (p *progress) shutOut(c, r int) Refusal {
	var out Refusal
	for s, role := range p.ix.role[c] {
		if role == Unused {
			continue
		}
		if f, shut := p.shut(p.floors[s].readers, r); shut {
			out = append(out, p.shutBy(c, r, s, "readers", f))
			continue
		}
		if f, shut := p.shut(p.floors[s].writers, r); shut && role == ReadWrite {
			out = append(out, p.shutBy(c, r, s, "writers", f))
		}
	}
	return out
}

func (p *progress) shutBy(c, r, store int, who string, f floor) Reason {
	name := p.ix.cat.Components[c].Name
	reason := Reason{Component: name, Release: r, Shut: true, Floor: p.ix.order.marks[f.mark]}
	by := f.text
	if f.step >= 0 {
		reason.Step = p.ix.cat.Steps[f.step].ID
		by = reason.Step.String()
	}
	if by == "" {
		by = "the ledger of " + p.ix.stores[store]
	}
	reason.Because = fmt.Sprintf("%s %s is shut out of %s: %s wants %s %s or later",
		name, p.ix.id(r), p.ix.stores[store], by, who, p.ix.id(p.ix.order.marks[f.mark]))
	return reason
}

// lonely says which other components are too old for a release.
func (p *progress) lonely(c, r int) Refusal {
	var out Refusal
	name := p.ix.cat.Components[c].Name
	for _, peer := range p.ix.cat.Releases[r].Peers {
		mark := p.ix.order.of(peer.AtLeast)
		for _, x := range p.live[p.ix.component[peer.Component]] {
			if !p.ix.order.has(x, mark) {
				out = append(out, Reason{Component: name, Release: r, Because: fmt.Sprintf("%s %s wants %s %s or later, and %s is alive",
					name, p.ix.id(r), peer.Component, p.ix.id(peer.AtLeast), p.ix.id(x))})
			}
		}
	}
	return out
}
