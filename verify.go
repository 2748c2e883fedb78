package stopover

import (
	"context"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// Verify asks the verify queries of everything that is applied, completely, and
// changes nothing. What a contract has ended is not asked any more: its queries
// are about a form that is gone. Nor is one whose predicate finds nothing now.
func (a *App) Verify(ctx context.Context) (*wire.Report, error) {
	report := a.newReport("verify")
	begun := time.Now()
	defer func() { report.Seconds = time.Since(begun).Seconds() }()
	sights := a.look(ctx)
	for _, s := range sights {
		if f := a.trouble(s); f != nil {
			return report, f
		}
	}
	w, err := a.way(ctx, sights, Target{})
	if err != nil {
		return report, a.explain("", err)
	}
	for _, s := range w.cat.Steps {
		if err := ctx.Err(); err != nil {
			return report, a.explain("", err)
		}
		if s.ID.Kind != plan.Verify || s.Skip != "" || a.store(s.ID.Store) == nil || !a.verifiable(w.state, s.ID) {
			continue
		}
		if err := a.verifyOne(ctx, report, w, s.ID); err != nil {
			return report, err
		}
	}
	if err := a.settled(ctx, report, w, sights); err != nil {
		return report, err
	}
	report.Stop, report.Rolls, report.Exit = nil, []wire.Action{}, ExitDone
	if len(report.Violations) > 0 {
		first := report.Violations[0]
		return report, (&Failure{Exit: ExitViolated, Next: a.mending(w, report.Violations), Detail: wire.Error{Kind: wire.KindViolated,
			Message: fmt.Sprintf("%s in %s", plural(count(report.Violations), "violation"), plural(int64(len(report.Violations)), "migration")),
			Hint:    "set the rows right and verify again; while there are any, cleanup runs no contract",
			Safe:    nothingChanged}}).at(plan.StepID{Store: first.Store, Migration: first.Migration, Kind: plan.Verify})
	}
	return report, nil
}

// mending says what may put violations right: the apply that is still to come,
// or a sweep of the backfill that was done before.
func (a *App) mending(w *way, violations []wire.Violation) []string {
	for _, v := range violations {
		verify := plan.StepID{Store: v.Store, Migration: v.Migration, Kind: plan.Verify}
		if w.state.Done[verify] {
			return []string{a.cmd("apply --sweep"), a.cmd("verify")}
		}
	}
	return []string{a.cmd("apply"), a.cmd("verify")}
}

func count(violations []wire.Violation) (n int64) {
	for _, v := range violations {
		n += v.Rows
	}
	return n
}

// verifiable tells whether a verify has something to be asked about: what comes
// before it is done, and no contract has taken the old form away.
func (a *App) verifiable(state plan.State, id plan.StepID) bool {
	at := func(kind plan.Kind) plan.StepID {
		return plan.StepID{Store: id.Store, Migration: id.Migration, Kind: kind}
	}
	for _, kind := range []plan.Kind{plan.Expand, plan.Backfill} {
		if a.steps[at(kind)] != nil && !state.Done[at(kind)] {
			return false
		}
	}
	return !state.Done[at(plan.Contract)] && !state.Begun[at(plan.Contract)]
}

func (a *App) verifyOne(ctx context.Context, report *wire.Report, w *way, id plan.StepID) error {
	parsed, err := a.parse(a.steps[id])
	if err != nil {
		return a.explain(id.Store, err)
	}
	seen := findSight(w.sights, id.Store)
	if a.steps[id].section.When != "" && w.state.Done[id] { // of others it was asked before
		if applies, err := a.applies(ctx, seen, a.steps[id]); err != nil {
			return err
		} else if !applies {
			report.Skipped = append(report.Skipped, wire.Skip{Store: id.Store, Migration: id.Migration, Step: id.Kind.String(), Because: a.notHere(a.steps[id])})
			return nil
		}
	}
	found, err := run.Check(ctx, seen.st, parsed.Action, sampleSize)
	if err != nil {
		work := run.Work{ID: id, File: a.steps[id].migration.File, Action: parsed.Action}
		return a.explain(id.Store, &run.StepError{Work: work, Err: err})
	}
	if found.Rows > 0 {
		report.Violations = append(report.Violations, a.violation(id, found))
		return nil
	}
	report.Did = append(report.Did, wire.Deed{Kind: wire.DeedVerify, Store: id.Store, Migration: id.Migration,
		Step: id.Kind.String(), Rows: -1, Seconds: found.Took.Seconds()})
	return nil
}
