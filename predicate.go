package stopover

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// predicates asks the `when` of pending steps: a step whose predicate finds
// nothing does not apply here, now.
func (a *App) predicates(ctx context.Context, w *way) error {
	asked := map[[2]string]bool{} // by store and predicate, which steps of a file may share
	for i := range w.cat.Steps {
		s := &w.cat.Steps[i]
		known := a.steps[s.ID]
		if known == nil || known.section.When == "" || w.state.Done[s.ID] || w.state.Begun[s.ID] {
			continue
		}
		seen := findSight(w.sights, s.ID.Store)
		if seen == nil || seen.st == nil || seen.err != nil || seen.untouched() || !seen.stamped() {
			continue // on paper, or nothing to ask about yet: it is taken to apply
		}
		question := [2]string{s.ID.Store, known.section.When}
		applies, before := asked[question]
		var err error
		if !before {
			applies, err = a.applies(ctx, seen, known)
		}
		var failed *store.StatementError
		switch {
		case errors.As(err, &failed):
			// What it asks about may be made by an earlier step.
			w.notes = append(w.notes, fmt.Sprintf("whether %s applies is asked before it runs: now the store answers %q", s.ID, failed.Message))
		case err != nil:
			return err
		case !applies:
			s.Skip = a.notHere(known)
		}
		if err == nil {
			asked[question] = applies
		}
	}
	return nil
}

// skips asks the predicate of a step that is about to begin, and takes the step
// out of the way if it does not apply.
func (a *App) skips(ctx context.Context, w *way, seen *sight, id plan.StepID) (bool, error) {
	known := a.steps[id]
	line, begun := seen.books.Lines[book.Step{Migration: id.Migration, Kind: id.Kind}]
	if known.section.When == "" || begun && line.IsBegun() {
		return false, nil
	}
	applies, err := a.applies(ctx, seen, known)
	if err != nil || applies {
		return false, err
	}
	for i := range w.cat.Steps {
		if w.cat.Steps[i].ID == id {
			w.cat.Steps[i].Skip = a.notHere(known)
		}
	}
	a.cfg.tell(Event{Kind: wire.EventSkipped, Store: id.Store, Migration: id.Migration, Step: id.Kind.String(), Text: a.notHere(known)})
	return true, nil
}

func (a *App) applies(ctx context.Context, seen *sight, s *step) (bool, error) {
	parsed, err := a.parseWhen(s)
	if err != nil {
		return false, err
	}
	found, err := seen.st.Do(ctx, store.Task{Action: parsed.Action, Sample: 1})
	if err != nil {
		f := a.explain(seen.name, fmt.Errorf("ask the predicate: %w", err)).at(s.id)
		f.Detail.Message = "its when: " + f.Detail.Message
		f.Detail.File, f.Detail.Line, f.Detail.Statement = s.migration.File, cmp.Or(s.section.WhenLine, s.section.Directive), 0
		return false, f
	}
	return found.Rows > 0, nil
}

// notHere is why a step is skipped.
func (a *App) notHere(s *step) string {
	if parsed, err := a.parseWhen(s); err == nil && parsed.Else != "" {
		return parsed.Else
	}
	return "nothing here for it: " + s.section.When
}

// parseWhen understands the predicate of a step.
func (a *App) parseWhen(s *step) (store.Parsed, error) {
	line := cmp.Or(s.section.WhenLine, s.section.Directive)
	return a.store(s.id.Store).kind.Parse(store.Section{File: s.migration.File, Line: line, Text: s.section.When,
		Shape: store.Query, Predicate: true})
}

// skipped says for each step that does not apply here why, those of a migration
// with one reason in one line. storeName "": of all stores.
func (w *way) skipped(storeName string) []string {
	var lines []string
	var first *plan.Step // of the line that is being made
	var names string
	end := func() {
		if first != nil {
			lines = append(lines, names+": "+first.Skip)
		}
	}
	for i := range w.cat.Steps {
		s := &w.cat.Steps[i]
		if s.Skip == "" || w.state.Done[s.ID] || storeName != "" && s.ID.Store != storeName {
			continue
		}
		if first != nil && first.ID.Store == s.ID.Store && first.ID.Migration == s.ID.Migration && first.Skip == s.Skip {
			names += ", " + s.ID.Kind.String()
			continue
		}
		end()
		first, names = s, s.ID.Migration+"."+s.ID.Kind.String()
	}
	end()
	return lines
}
