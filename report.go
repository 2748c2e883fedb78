package stopover

import (
	"context"
	"fmt"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// newReport begins the report of a changing command.
func (a *App) newReport(command string) *wire.Report {
	return &wire.Report{Head: wire.NewHead(command), Application: a.project.Application,
		Did: []wire.Deed{}, Skipped: []wire.Skip{}, Violations: []wire.Violation{}, Refused: []wire.Refusal{},
		Drift: []wire.Drift{}, Rolls: []wire.Action{}}
}

// settled completes a report with what is left, and what to type next.
func (a *App) settled(_ context.Context, report *wire.Report, w *way, sights []*sight) error {
	state := a.ledgers(sights)
	for _, s := range w.cat.Steps {
		if a.store(s.ID.Store) == nil || state.Done[s.ID] {
			continue
		}
		switch {
		case s.Skip != "":
			report.Skipped = append(report.Skipped, wire.Skip{Store: s.ID.Store, Migration: s.ID.Migration, Step: s.ID.Kind.String(), Because: s.Skip})
		case s.ID.Kind == plan.Contract:
			report.Left.Later++
		default:
			report.Left.Pending++
		}
	}
	if w.rolls() {
		doc := wire.FromPlan(w.cat, w.plan, wire.Known{Program: a.cfg.Program + a.cfg.flags()})
		report.Stop = doc.Legs[0].Stop
		for _, action := range doc.Legs[0].Actions {
			if action.Kind != wire.ActStep {
				report.Rolls = append(report.Rolls, action)
			}
		}
		report.Exit = ExitStop
		report.Next = append(report.Next, a.vouch(w, report.Rolls)...)
		if switches(report.Rolls) {
			why := a.whyNoSwitch(w)
			if why == "" {
				report.Next = append(report.Next, a.cmd("apply"+toFlag(report.To)+" --switch"))
				return nil
			}
			a.cfg.tell(Event{Kind: wire.EventNote, Text: "no switch: " + why})
		}
		report.Next = append(report.Next, a.cmd("apply"+toFlag(report.To)))
		return nil
	}
	if report.Left.Later > 0 && report.Left.Pending == 0 {
		report.Next = append(report.Next, a.cmd("cleanup"))
	}
	return nil
}

func toFlag(to string) string {
	if to == "" {
		return ""
	}
	return fmt.Sprintf(" --to %s", to)
}

// rolls tells whether the way goes on with a rollout or a halt, and not with
// steps alone.
func (w *way) rolls() bool {
	if len(w.plan.Legs) == 0 {
		return false
	}
	for _, action := range w.plan.Legs[0].Actions {
		if action.Kind != plan.DoStep {
			return true
		}
	}
	return false
}
