package stopover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// RollbackOptions say how far back to go.
type RollbackOptions struct {
	// To is STORE:MIGRATION[.STEP], what is done after it is taken back; or
	// STORE:none, everything of the store; or a release, what it does not need.
	To      string
	Confirm Confirm // asked before anything is taken back; nil: go on
}

// Rollback takes steps back, newest first, by their undo-sections. If one of
// them cannot be taken back nothing is: what needs a restore is named first.
func (a *App) Rollback(ctx context.Context, ask RollbackOptions) (report *wire.Report, err error) {
	report = a.newReport("rollback")
	report.To = ask.To
	begun := time.Now()
	defer func() { a.ended(ctx, report, begun, err) }()
	sights := a.look(ctx)
	if err := a.sound(ctx, sights); err != nil {
		return report, err
	}
	w, undo, err := a.toUndo(ctx, sights, ask.To)
	if err != nil {
		return report, a.explain("", err)
	}
	if len(undo) == 0 {
		return report, a.settled(ctx, report, w, sights)
	}
	if ask.Confirm != nil {
		question := fmt.Sprintf("Take back %s? %s", plural(int64(len(undo)), "step"), a.neededBy(w, undo))
		if err := confirmed(ask.Confirm(question, nil)); err != nil {
			return report, err
		}
	}
	return report, a.takeBack(ctx, report, w, undo)
}

// toUndo lists what stands behind the target, newest first, or refuses.
func (a *App) toUndo(ctx context.Context, sights []*sight, to string) (*way, []plan.StepID, error) {
	w := &way{target: Target{To: to}, sights: sights}
	storeName, name, isStep := strings.Cut(to, ":")
	if isStep && name == "none" {
		w.target.To = ""
	}
	if err := a.catalogue(w); err != nil {
		return nil, nil, err
	}
	w.state = a.ledgers(sights)
	var keep func(plan.Step) bool
	switch {
	case isStep && name == "none":
		if a.store(storeName) == nil {
			return nil, nil, misuse(fmt.Sprintf("there is no store %q", storeName), a.cmd("status"))
		}
		keep = func(s plan.Step) bool { return s.ID.Store != storeName }
	case isStep:
		target, err := a.named(w, to)
		if err != nil {
			return nil, nil, err
		}
		keep = func(s plan.Step) bool { return s.ID.Store != target.Store || !behind(s.ID, target) }
	default:
		var err error
		if keep, err = a.keepFor(w, to); err != nil {
			return nil, nil, err
		}
	}
	undo, err := a.undoable(w, keep)
	return w, undo, err
}

// behind tells whether a step comes after the target within a store.
func behind(id, target plan.StepID) bool {
	if id.Migration == target.Migration {
		return target.Kind != 0 && id.Kind > target.Kind
	}
	return compareIDs(plan.StepID{Migration: id.Migration}, plan.StepID{Migration: target.Migration}) > 0
}

// keepFor keeps what a release needs: of each store everything up to the last
// step that it, or an earlier release, is the first to need.
func (a *App) keepFor(w *way, to string) (func(plan.Step) bool, error) {
	if w.cat.Implicit {
		return nil, misuse(fmt.Sprintf("there is no release %q: stopover.yaml lists none", to), a.cmd("rollback --to "+a.exampleAnywhere()))
	}
	release, known := w.index.At(to)
	if !known {
		return nil, misuse(fmt.Sprintf("there is no release %q; the newest are %s", to, strings.Join(w.index.Newest(5), ", ")))
	}
	last := map[string]int{}
	for i, s := range w.cat.Steps {
		if s.Needs != plan.NoRelease && s.Needs <= release {
			last[s.ID.Store] = i
		}
	}
	at := map[plan.StepID]int{}
	for i, s := range w.cat.Steps {
		at[s.ID] = i
	}
	return func(s plan.Step) bool { i, some := last[s.ID.Store]; return some && at[s.ID] <= i }, nil
}

// undoable lists the steps to take back, newest first, if all of them can be.
func (a *App) undoable(w *way, keep func(plan.Step) bool) ([]plan.StepID, error) {
	var undo []plan.StepID
	for _, s := range slices.Backward(w.cat.Steps) {
		if keep(s) || a.store(s.ID.Store) == nil || !w.state.Done[s.ID] && !w.state.Begun[s.ID] {
			continue
		}
		if because := a.irreversible(w, s.ID); because != "" {
			f := refuse(because, a.cmd("list"))
			f.Detail.Hint = "what it did can only come back with a restore"
			return nil, f.at(s.ID)
		}
		undo = append(undo, s.ID)
	}
	return undo, nil
}

// irreversible says why a step cannot be taken back; "": it can.
func (a *App) irreversible(w *way, id plan.StepID) string {
	s := a.steps[id]
	line := findSight(w.sights, id.Store).books.Lines
	switch {
	case id.Kind == plan.Contract:
		return "a contract has been run"
	case id.Kind == plan.Verify || s.undo != nil || s.undoAction != nil:
	case id.Kind == plan.Backfill && a.undoesExpand(id):
	default:
		return fmt.Sprintf("it has no undo-%s section", id.Kind)
	}
	for key, l := range line {
		if key.Migration == id.Migration && key.Kind == id.Kind && l.IsBegun() && id.Kind == plan.Expand {
			return "it was begun and is not done: it has to be finished first"
		}
	}
	return ""
}

// undoesExpand tells whether what a backfill filled goes with the expand of its
// migration.
func (a *App) undoesExpand(id plan.StepID) bool {
	id.Kind = plan.Expand
	expand := a.steps[id]
	return expand != nil && (expand.undo != nil || expand.undoAction != nil)
}

// neededBy warns of releases that would not start any more.
func (a *App) neededBy(w *way, undo []plan.StepID) string {
	oldest := plan.NoRelease
	for _, s := range w.cat.Steps {
		if slices.Contains(undo, s.ID) && s.Needs != plan.NoRelease && (oldest == plan.NoRelease || s.Needs < oldest) {
			oldest = s.Needs
		}
	}
	if oldest == plan.NoRelease || w.cat.Implicit {
		return "What the application wrote into what goes is lost."
	}
	return fmt.Sprintf("Releases from %s on need what goes: none of them may be running. What they wrote into it is lost.", w.index.ID(oldest))
}

// takeBack does it, under the leases.
func (a *App) takeBack(ctx context.Context, report *wire.Report, w *way, undo []plan.StepID) error {
	stores := slices.DeleteFunc(slices.Clone(w.sights), func(s *sight) bool {
		return !slices.ContainsFunc(undo, func(id plan.StepID) bool { return id.Store == s.name })
	})
	s, err := a.take(ctx, "rollback", stores, time.Time{})
	if err != nil {
		return err
	}
	defer s.release()
	_, again, err := a.toUndo(s.ctx, s.sights(w.sights), report.To)
	if err != nil {
		return a.explain("", err)
	}
	for _, id := range again {
		h := s.held[id.Store]
		work, err := a.undoWork(a.steps[id])
		if err != nil {
			return a.explain(id.Store, err)
		}
		outcome, err := h.runner.Reverse(s.ctx, work)
		h.books = h.runner.Books
		if err != nil {
			return a.explain(id.Store, err)
		}
		report.Did = append(report.Did, deed(id, wire.DeedReverse, outcome))
	}
	return a.settled(ctx, report, w, s.sights(w.sights))
}
