package plan

import (
	"fmt"
	"slices"
)

// repairs lists what would let component x get out of the way of a step, or
// stay: a release that can live on both sides, a store that writes both forms,
// a test that shows more than was declared.
func (c *certifier) repairs(step, x int) []Repair {
	s := c.ix.cat.Steps[step]
	name := c.ix.cat.Components[x].Name
	out := []Repair{c.bridge(step, x)}
	writer := c.ix.role[x][c.ix.store[step]] == ReadWrite
	if m := c.ix.writers[step]; writer && m != noMark && s.ID.Kind != Cutover {
		out = append(out, Repair{Kind: DualWrite, First: NoRelease, Last: NoRelease,
			Text: fmt.Sprintf("let %s write both forms itself (a mirror, a trigger or a generated column in an earlier step); then %s needs no floor for writers",
				s.ID.Store, s.ID)})
	}
	if s.ID.Kind != Cutover {
		old := c.culprit(step, x)
		out = append(out, Repair{Kind: Widen, First: old, Last: old,
			Text: fmt.Sprintf("test that %s %s can live with what %s does; if it can, lower the floor to %s", name, c.ix.id(old), s.ID, c.ix.id(old))})
	}
	return out
}

// bridge names the range in which a release would bridge: above what runs, and
// below the first that needs the step.
func (c *certifier) bridge(step, x int) Repair {
	s := c.ix.cat.Steps[step]
	name := c.ix.cat.Components[x].Name
	first := c.culprit(step, x)
	last := NoRelease
	for r, rel := range c.ix.cat.Releases {
		if r > first && rel.Line == "" && c.ix.needs(r, c.ix.store[step]) > c.ix.at[step] {
			last = r
			break
		}
	}
	text := fmt.Sprintf("ship a release of %s after %s", name, c.ix.id(first))
	if last != NoRelease {
		text += " and before " + c.ix.id(last)
	}
	if s.ID.Kind == Cutover {
		text += fmt.Sprintf(" that can write in both forms, and give %s a floor for writers at it", s.ID)
	} else {
		text += fmt.Sprintf(" that meets %s and does not need %s", c.ix.floorText(step), s.ID)
	}
	return Repair{Kind: Bridge, First: first, Last: last, Text: text}
}

// offlineRepair makes the offline plan, if there is one.
func (c *certifier) offlineRepair() (Repair, bool) {
	if c.goal.Offline {
		return Repair{}, false
	}
	goal := c.goal
	goal.Offline = true
	p := build(c.ix, c.start, goal)
	if len(p.Blocked) > 0 {
		return Repair{}, false
	}
	var halted []string
	for _, l := range p.Legs {
		for _, a := range l.Actions {
			if a.Kind == DoHalt && !slices.Contains(halted, a.Component) {
				halted = append(halted, a.Component)
			}
		}
	}
	if len(halted) > 4 {
		halted = append(halted[:4], fmt.Sprintf("%d more", len(halted)-4))
	}
	text := "go offline while it runs"
	if len(halted) > 0 {
		text = fmt.Sprintf("stop %s while it runs", list(halted))
	}
	return Repair{Kind: Offline, First: NoRelease, Last: NoRelease, Text: text, Downtime: p.Downtime, Plan: &p}, true
}
