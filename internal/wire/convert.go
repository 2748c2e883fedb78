package wire

import (
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/plan"
)

// Known is what a plan's document says beyond the plan itself. All of it may
// be missing.
type Known struct {
	Estimates  map[plan.StepID]Estimate // beside the time that the catalogue foresees
	Statements map[plan.StepID][]SQLPart
	Begun      map[plan.StepID]bool
	Program    string // how commands are typed; "": stopover
}

// FromPlan writes a plan as a document, with ids as text. Head is complete but
// for Error; Inputs are the caller's to fill.
func FromPlan(catalogue plan.Catalogue, p plan.Plan, known Known) *Plan {
	c := converter{catalogue: catalogue, known: known, offline: map[plan.StepID]bool{}}
	for _, step := range catalogue.Steps {
		c.offline[step.ID] = step.Offline
	}
	doc := &Plan{
		Head:        NewHead("plan"),
		Application: catalogue.Application,
		Target:      c.target(p),
		Implicit:    catalogue.Implicit,
		Way:         c.way(p),
		Blocked:     c.blocked(p),
		Later:       []Wait{},
		Inputs:      Inputs{Stores: []InputStore{}, Steps: []InputStep{}, Fleet: c.standing(p.From)},
	}
	for _, wait := range p.Later {
		doc.Later = append(doc.Later, Wait{Step: wait.Step.Ref(), Because: wait.Because})
	}
	doc.Exit, doc.Next = c.outcome(doc)
	return doc
}

type converter struct {
	catalogue plan.Catalogue
	known     Known
	offline   map[plan.StepID]bool
}

// outcome gives exit 3 where there is no way, and what to type next.
func (c converter) outcome(doc *Plan) (int, []string) {
	next := []string{}
	if len(doc.Blocked) > 0 {
		for _, block := range doc.Blocked {
			for _, repair := range block.Repairs {
				if repair.Next != "" && !slices.Contains(next, repair.Next) {
					next = append(next, repair.Next)
				}
			}
		}
		return 3, next
	}
	switch {
	case len(doc.Legs) > 0, len(doc.After) > 0 && doc.After[0].Step != plan.Contract.String():
		next = append(next, c.command("apply", doc.Target, doc.Target.Offline))
	case len(doc.After) > 0:
		next = append(next, c.program()+" cleanup")
	}
	return 0, next
}

func (c converter) program() string {
	if c.known.Program == "" {
		return "stopover"
	}
	return c.known.Program
}

func (c converter) command(verb string, t Target, offline bool) string {
	command := c.program() + " " + verb
	switch {
	case t.Step != "":
		command += " --to " + t.Step
	case t.Release != "" && !c.catalogue.Implicit:
		command += " --to " + t.Release
	}
	if offline {
		command += " --offline"
	}
	return command
}

func (c converter) release(index int) string {
	if index < 0 || index >= len(c.catalogue.Releases) {
		return ""
	}
	return c.catalogue.Releases[index].ID
}

func (c converter) releases(indexes []int) []string {
	ids := make([]string, 0, len(indexes))
	for _, index := range indexes {
		ids = append(ids, c.release(index))
	}
	return ids
}

func (c converter) standing(fleet []plan.Standing) []Running {
	out := make([]Running, 0, len(fleet))
	for _, s := range fleet {
		out = append(out, Running{Component: s.Component, Releases: c.releases(s.Releases)})
	}
	return out
}

// target says what was asked for: "shop 1.4.7 -> 1.6".
func (c converter) target(p plan.Plan) Target {
	t := Target{Release: c.release(p.Goal.Release), Offline: p.Goal.Offline, From: c.standing(p.From)}
	to := t.Release
	switch step := p.Goal.Step; {
	case step == plan.StepID{}:
	case step.Kind == 0:
		t.Step, to = step.Store+":"+step.Migration, step.Store+" "+step.Migration
	default:
		t.Step, to = step.Ref(), step.String()
	}
	var alive []int
	for _, s := range p.From {
		alive = append(alive, s.Releases...)
	}
	t.Text = c.catalogue.Application
	if c.catalogue.Implicit {
		if t.Step != "" {
			t.Text = strings.TrimSpace(t.Text + " -> " + to)
		}
		return t
	}
	if len(alive) > 0 {
		t.Text += " " + c.between(slices.Min(alive), slices.Max(alive)).Text
	}
	t.Text = strings.TrimSpace(t.Text + " -> " + to)
	return t
}

func (c converter) between(first, last int) Range {
	r := Range{From: c.release(first), To: c.release(last)}
	r.Text = r.From
	if last > first {
		r.Text += " to " + r.To
	}
	return r
}
