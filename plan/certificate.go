package plan

import "fmt"

// certifier tells why there is no way on from where a walk got stuck, and what
// would open one.
type certifier struct {
	walker
	stuck *progress
	start *progress
	goal  Goal
}

// certificate gives one block for each component that is in the way of a step,
// or else for each that cannot come to the target.
func certificate(ix *index, start, stuck *progress, a aim, goal Goal) []Block {
	c := certifier{walker: walker{ix: ix, aim: a}, stuck: stuck, start: start, goal: goal}
	var blocks []Block
	for _, step := range c.stuckSteps() {
		for _, x := range stuck.inTheWay(step) {
			blocks = append(blocks, c.block(step, x))
		}
	}
	if len(blocks) == 0 {
		blocks = c.unreachable()
	}
	if repair, found := c.offlineRepair(); found {
		for i := range blocks {
			blocks[i].Repairs = append(blocks[i].Repairs, repair)
		}
	}
	return blocks
}

// stuckSteps lists the steps that wait only for the fleet: those that the goal
// needs, or, where it needs none of them, those that could help.
func (c *certifier) stuckSteps() []int {
	all := c.waiting(c.stuck)
	if c.aim.base == nil {
		return all
	}
	var needed []int
	for _, i := range all {
		if c.aim.base.needed[i] || c.ix.cat.Steps[i].ID.Kind == Contract {
			needed = append(needed, i)
		}
	}
	if len(needed) == 0 {
		return all
	}
	return needed
}

// block says why component x cannot get out of the way of a step.
func (c *certifier) block(step, x int) Block {
	s := c.ix.cat.Steps[step]
	name := c.ix.cat.Components[x].Name
	b := Block{Component: name, Release: c.culprit(step, x), Step: s.ID}
	runs := fmt.Sprintf("%s runs %s", name, c.ix.ids(c.start.live[x]))
	if len(c.stuck.live[x]) != len(c.start.live[x]) || c.stuck.live[x][0] != c.start.live[x][0] {
		runs = fmt.Sprintf("%s gets as far as %s", name, c.ix.ids(c.stuck.live[x]))
	}
	switch {
	case s.Offline && c.ix.role[x][c.ix.store[step]] == ReadWrite:
		b.Because = fmt.Sprintf("%s runs only while no writer of %s is alive, and %s", s.ID, s.ID.Store, runs)
		return b
	case s.ID.Kind == Cutover && c.ix.role[x][c.ix.store[step]] == ReadWrite:
		b.Because = fmt.Sprintf("%s: %s and cannot follow: %s; two releases that both write, each its own form, cannot be merged without loss",
			s.ID, runs, c.why(step, x, true))
	default:
		b.Because = fmt.Sprintf("%s wants %s, %s, and %s", s.ID, c.ix.floorText(step), runs, c.why(step, x, false))
	}
	b.Repairs = c.repairs(step, x)
	return b
}

// culprit is the oldest live release of component x that is in a step's way.
func (c *certifier) culprit(step, x int) int {
	for _, r := range c.stuck.live[x] {
		if !c.stuck.meets(x, r, step) {
			return r
		}
	}
	return c.stuck.live[x][0]
}

// why says what keeps component x from every release that could live with a
// step. With after set the step is taken as done: a cutover.
func (c *certifier) why(step, x int, after bool) string {
	name := c.ix.cat.Components[x].Name
	p := c.stuck.copy()
	if after {
		p.finish(step)
	}
	withdrawn := ""
	for r, rel := range c.ix.cat.Releases {
		if rel.Unlisted && r != c.aim.release || !p.meets(x, r, step) || !c.ahead(p.live[x], r) {
			continue
		}
		if c.aim.release != NoRelease && !c.ix.order.above(c.aim.release, r) {
			continue
		}
		closed := p.closed(x, r)
		if rel.Withdrawn {
			if len(closed) == 0 && withdrawn == "" {
				withdrawn = fmt.Sprintf("%s %s would do, but it is withdrawn, and ", name, rel.ID)
			}
			continue
		}
		if len(closed) > 0 {
			return withdrawn + closed[0].Because
		}
	}
	return withdrawn + "there is no other release of " + name + " on the way that could"
}

// unreachable says which components cannot come to the target, although no step
// is in question.
func (c *certifier) unreachable() []Block {
	var blocks []Block
	for x, live := range c.stuck.live {
		if c.aim.release == NoRelease || len(live) == 0 || only(live, c.aim.release) {
			continue
		}
		for _, r := range c.stuck.closed(x, c.aim.release) {
			blocks = append(blocks, Block{Component: r.Component, Release: r.Release, Step: r.Step, Because: r.Because})
		}
	}
	if len(blocks) == 0 {
		blocks = append(blocks, Block{Release: NoRelease, Because: "nothing that is pending may begin"})
	}
	return blocks
}
