package wire

import (
	"regexp"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/plan"
)

func (c converter) way(p plan.Plan) Way {
	w := Way{
		Mode:  "live",
		Legs:  []Leg{},
		After: c.actions(p.After, false),
		Soak:  p.Soak.Seconds(),
		Summary: Summary{
			Stops: p.Stops, Rollouts: p.Rollouts, Steps: p.Steps,
			Seconds: p.Work.Seconds(), Unknown: p.Unknown, Downtime: p.Downtime.Seconds(),
		},
	}
	for _, leg := range p.Legs {
		l := Leg{Actions: c.actions(leg.Actions, leg.Stop != nil), Back: []Back{}}
		if n := len(l.Actions); n > 0 {
			l.Back = l.Actions[n-1].Back
		}
		if leg.Stop != nil {
			l.Stop = &Stop{Range: c.between(leg.Stop.First, leg.Stop.Last), Fleet: c.standing(leg.Stop.Fleet), Soak: leg.Stop.Soak.Seconds()}
		}
		w.Legs = append(w.Legs, l)
	}
	for action := range w.all() {
		switch {
		case action.Kind == ActSwitch:
			w.Summary.Switches++
		case action.Kind == ActHalt, action.Offline:
			w.Mode = "offline"
		}
	}
	return w
}

// all gives every action in order.
func (w *Way) all() func(yield func(Action) bool) {
	return func(yield func(Action) bool) {
		for _, leg := range w.Legs {
			for _, action := range leg.Actions {
				if !yield(action) {
					return
				}
			}
		}
		for _, action := range w.After {
			if !yield(action) {
				return
			}
		}
	}
}

func (c converter) actions(list []plan.Action, stops bool) []Action {
	out := make([]Action, 0, len(list))
	for _, a := range list {
		out = append(out, c.action(a, stops))
	}
	return out
}

// action converts one action. stops: its leg ends at a stop, so that any
// release of a range will do for a while.
func (c converter) action(a plan.Action, stops bool) Action {
	out := Action{
		Kind: ActionKind(a.Kind.String()), Component: a.Component, From: c.releases(a.From),
		Because: a.Because, Refuses: a.Refused,
		NoReturn: a.NoReturn != "", NoReturnText: a.NoReturn, Back: []Back{},
	}
	if a.Kind == plan.DoStep || a.Kind == plan.DoSwitch {
		out.Store, out.Migration, out.Step = a.Step.Store, a.Step.Migration, a.Step.Kind.String()
		out.Offline, out.Resumes = c.offline[a.Step], c.known.Begun[a.Step]
		out.Estimate = c.estimate(a.Step, a.Estimate)
		out.Statements = c.known.Statements[a.Step]
	}
	if a.Kind == plan.DoRoll || a.Kind == plan.DoSwitch {
		out.To, out.Range = c.release(a.To), c.anyOf(a.To, a.ToUpto, stops)
	}
	for _, step := range a.Also {
		out.Also = append(out.Also, Part{Step: step.Ref()})
	}
	for _, m := range a.Moves {
		out.Also = append(out.Also, Part{Component: m.Component, From: c.releases(m.From), To: c.release(m.To), Range: c.anyOf(m.To, m.ToUpto, stops)})
	}
	for _, back := range a.Back {
		out.Back = append(out.Back, Back{Component: back.Component, Releases: c.releases(back.Releases)})
	}
	return out
}

func (c converter) estimate(step plan.StepID, foreseen time.Duration) *Estimate {
	e, found := c.known.Estimates[step]
	if foreseen > 0 {
		e.Seconds, found = foreseen.Seconds(), true
	}
	if !found {
		return nil
	}
	return &e
}

var twoPart = regexp.MustCompile(`^v?\d+\.\d+$`)

// anyOf says which releases will do as well as the first; nil: only that one.
func (c converter) anyOf(first, last int, stops bool) *Range {
	if last > first {
		r := c.between(first, last)
		r.Text = "any of " + r.Text
		return &r
	}
	id := c.release(first)
	if !stops || !twoPart.MatchString(id) {
		return nil
	}
	for _, r := range c.catalogue.Releases {
		if strings.HasPrefix(r.ID, id+".") {
			return nil
		}
	}
	return &Range{From: id, To: id, Text: "any " + id + ".x"}
}

func (c converter) blocked(p plan.Plan) []Blocked {
	out := make([]Blocked, 0, len(p.Blocked))
	for _, b := range p.Blocked {
		block := Blocked{Component: b.Component, Release: c.release(b.Release), Because: b.Because, Repairs: []Repair{}}
		if b.Step != (plan.StepID{}) {
			block.Step = b.Step.Ref()
		}
		for _, r := range b.Repairs {
			block.Repairs = append(block.Repairs, c.repair(r, p))
		}
		out = append(out, block)
	}
	return out
}

func (c converter) repair(r plan.Repair, p plan.Plan) Repair {
	out := Repair{Kind: r.Kind.String(), Text: r.Text, Downtime: r.Downtime.Seconds()}
	if r.Kind != plan.Offline && c.release(r.First) != "" {
		span := c.between(r.First, max(r.First, r.Last))
		out.Range = &span
	}
	if r.Kind == plan.Offline {
		out.Next = c.command("plan", c.target(p), true)
	}
	if r.Plan != nil {
		way := c.way(*r.Plan)
		out.Way = &way
	}
	return out
}
