package ui

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
)

// group is a run of actions that is shown as one line: the steps of one
// migration that follow each other, or one rollout.
type group struct {
	actions []wire.Action
}

func (g group) first() wire.Action { return g.actions[0] }

// grouped puts steps of one migration that follow each other together. A step
// that is a point of no return, or is offline, stands alone.
func grouped(actions []wire.Action) []group {
	var out []group
	for _, action := range actions {
		if n := len(out); n > 0 && joins(out[n-1], action) {
			out[n-1].actions = append(out[n-1].actions, action)
			continue
		}
		out = append(out, group{[]wire.Action{action}})
	}
	return out
}

func joins(g group, a wire.Action) bool {
	b := g.actions[len(g.actions)-1]
	return a.Kind == wire.ActStep && b.Kind == wire.ActStep && a.Store == b.Store && a.Migration == b.Migration &&
		!a.NoReturn && !b.NoReturn && a.Offline == b.Offline && a.Refuses == ""
}

// steps names a group's steps: "0042_currency.backfill, verify".
func (g group) steps() string {
	var names []string
	for _, action := range g.actions {
		names = append(names, action.Step)
	}
	return stepName(g.first().Migration, strings.Join(names, ", "))
}

// seconds adds up; unknown if any is.
func (g group) seconds() (float64, bool) {
	var sum float64
	for _, action := range g.actions {
		if action.Estimate == nil || action.Estimate.Seconds == 0 {
			return 0, false
		}
		sum += action.Estimate.Seconds
	}
	return sum, true
}

// remarks are what is to be known of a group beside its time.
func (g group) remarks(verbose bool) string {
	var out []string
	for _, a := range g.actions {
		if a.Resumes {
			out = append(out, "was begun, goes on")
		}
		if a.Offline {
			out = append(out, "OFFLINE: no writer may be alive")
		}
		if a.Refuses != "" {
			out = append(out, "from its begin "+a.Refuses+" are refused")
		}
		if a.NoReturn {
			out = append(out, noReturn(a))
		}
		if e := a.Estimate; e != nil {
			out = append(out, forecast(e)...)
		}
		if verbose && a.Because != "" {
			out = append(out, a.Because)
		}
	}
	return strings.Join(out, "; ")
}

func noReturn(a wire.Action) string {
	rest, found := strings.CutPrefix(a.NoReturnText, "no return")
	if !found {
		return "NO RETURN without a restore"
	}
	return "NO RETURN" + rest
}

func forecast(e *wire.Estimate) []string {
	var out []string
	if e.Rows > 0 {
		text := about(float64(e.Rows)) + " rows"
		if e.Rows == 1 {
			text = rows(e.Rows)
		}
		out = append(out, text)
	}
	if e.Bytes > 0 {
		out = append(out, size(e.Bytes)+" of disk")
	}
	if e.Memory > 0 {
		out = append(out, size(e.Memory)+" of memory")
	}
	if e.Log > 0 {
		out = append(out, size(e.Log)+" of log")
	}
	return append(out, nonempty(e.Note)...)
}

func running(list []wire.Running) string {
	var out []string
	for _, r := range list {
		out = append(out, strings.TrimSpace(r.Component+" "+between(r.Releases)))
	}
	return strings.Join(out, ", ")
}

// between names releases, which are ascending: all of up to three, else the
// ends.
func between(releases []string) string {
	if len(releases) > 3 {
		return releases[0] + " to " + releases[len(releases)-1]
	}
	return strings.Join(releases, ", ")
}

// roll says what a rollout does: "api -> 1.5 (any 1.5.x)".
func roll(a wire.Action) string {
	return move(a.Component, a.To, a.Range)
}

func move(component, to string, r *wire.Range) string {
	text := component + " -> " + to
	if r != nil && r.Text != "" && r.Text != to {
		text += " (" + r.Text + ")"
	}
	return text
}

// switched says what happens in a switch: "api -> 1.6, cache
// 0007_hashtag.cutover".
func switched(a wire.Action) string {
	parts := []string{roll(a)}
	for _, part := range a.Also {
		if part.Component != "" {
			parts = append(parts, move(part.Component, part.To, part.Range))
		}
	}
	parts = append(parts, a.Store+" "+stepName(a.Migration, a.Step))
	for _, part := range a.Also {
		if part.Step != "" {
			parts = append(parts, strings.Replace(part.Step, ":", " ", 1))
		}
	}
	return strings.Join(parts, ", ")
}

// ends names what a switch ends: "api 1.5".
func ends(a wire.Action) string {
	list := []wire.Running{{Component: a.Component, Releases: a.From}}
	for _, part := range a.Also {
		if part.Component != "" {
			list = append(list, wire.Running{Component: part.Component, Releases: part.From})
		}
	}
	return running(list)
}

// starts names what a switch starts: "api 1.6".
func starts(a wire.Action) string {
	list := []wire.Running{{Component: a.Component, Releases: []string{a.To}}}
	for _, part := range a.Also {
		if part.Component != "" {
			list = append(list, wire.Running{Component: part.Component, Releases: []string{part.To}})
		}
	}
	return running(list)
}

// wayBack sums up how far back one could go, by the oldest release of each
// component: "api 1.5, web 1.4". "" stands for not known.
func wayBack(back []wire.Back) string {
	if len(back) == 0 {
		return ""
	}
	same := true
	var out []string
	for _, b := range back {
		same = same && oldest(b) == oldest(back[0])
		if text := oldest(b); text != "" {
			out = append(out, b.Component+" "+text)
		}
	}
	switch {
	case len(out) == 0:
		return onlyWhatRuns
	case same:
		return oldest(back[0]) + " everywhere"
	}
	return strings.Join(out, ", ")
}

const onlyWhatRuns = "only what runs"

func oldest(b wire.Back) string {
	if len(b.Releases) == 0 {
		return ""
	}
	return b.Releases[0]
}

// aftermath parts what follows the last rollout into what needs only that, and
// the contracts, which wait for the soak.
func aftermath(d *wire.Plan) (steps, contracts []wire.Action) {
	for i, action := range d.After {
		if action.Step == "contract" {
			return d.After[:i], d.After[i:]
		}
	}
	return d.After, nil
}

const lastly = "After the last rollout"

// title sums up a plan in a line.
func title(d *wire.Plan) string {
	if len(d.Blocked) > 0 {
		return fmt.Sprintf("%s: no way", d.Target.Text)
	}
	if len(d.Legs) == 0 && len(d.After) == 0 {
		return d.Target.Text + ": nothing to do"
	}
	s := d.Summary
	parts := []string{d.Mode}
	if d.Implicit {
		parts = nil
	} else {
		parts = append(parts, many(s.Stops, "stop"), many(s.Rollouts, "rollout"))
	}
	parts = append(parts, many(s.Steps, "step"))
	switch {
	case s.Seconds >= 1:
		parts = append(parts, "about "+span(s.Seconds)+" of work")
	case s.Seconds > 0 && s.Unknown == 0:
		parts = append(parts, "less than 1 s of work")
	}
	if s.Unknown > 0 && s.Unknown == s.Steps {
		parts = append(parts, "no estimates")
	} else if s.Unknown > 0 {
		parts = append(parts, many(s.Unknown, "step")+" without an estimate")
	}
	if s.Downtime > 0 {
		parts = append(parts, "about "+span(s.Downtime)+" of downtime")
	}
	return d.Target.Text + ": " + strings.Join(nonempty(parts...), ", ")
}
