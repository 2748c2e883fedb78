package stopover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// stale refuses a plan that was made of other inputs than those of now, and
// names what changed.
func (a *App) stale(w *way, made *wire.Plan) error {
	if !made.Inputs.Intact() {
		return misuse("the plan file was edited by hand: its inputs and their hash differ", a.cmd("plan --out FILE"+toFlag(w.target.To)))
	}
	planned := wire.FromPlan(w.cat, w.plan, wire.Known{})
	changed := made.Inputs.Changes(a.inputs(w, planned.Inputs.Fleet))
	if len(changed) == 0 {
		if !slices.Equal(actionsOf(made), actionsOf(planned)) {
			return misuse("the plan file was edited by hand: what it does is not what follows from its inputs", a.cmd("plan --out FILE"+toFlag(w.target.To)))
		}
		return nil
	}
	f := refuse("the plan does not fit any more", a.cmd("plan --out FILE"+toFlag(w.target.To)))
	f.Detail.Kind, f.Detail.Evidence = wire.KindStale, changed
	f.Detail.Hint = "look at what changed, and make the plan anew"
	return f
}

// actionsOf is what a plan does, one line an action.
func actionsOf(doc *wire.Plan) []string {
	var lines []string
	add := func(actions []wire.Action) {
		for _, action := range actions {
			lines = append(lines, strings.Join([]string{string(action.Kind), action.Store, action.Migration, action.Step, action.Component, action.To}, " "))
		}
	}
	for _, leg := range doc.Legs {
		add(leg.Actions)
		lines = append(lines, "leg")
	}
	add(doc.After)
	return lines
}

// foredoomed refuses steps that are bound to fail, while the stores are still
// untouched: those that cannot be understood, and, on the data as it is, a NOT
// NULL column without default on a table that has rows, or a backfill of a table
// without a key; and those for which the login lacks rights.
func (a *App) foredoomed(ctx context.Context, w *way) error {
	keyed := map[string]bool{} // stores of which an earlier step may make a key
	for _, id := range a.allowedNow(w) {
		parsed, err := a.parse(a.steps[id])
		if err != nil {
			return a.explain(id.Store, err)
		}
		seen := findSight(w.sights, id.Store)
		if f := a.forbidden(ctx, seen, id, parsed.Action); f != nil {
			return f
		}
		if seen.untouched() {
			continue
		}
		keyed[id.Store] = keyed[id.Store] || makesKey(parsed.Action)
		if !keyed[id.Store] {
			if f := a.uncuttable(ctx, seen, id, parsed.Action); f != nil {
				return f
			}
		}
		for _, fact := range parsed.Facts {
			if fact.Kind != store.BreaksInsert || !a.hasRows(ctx, seen, fact.Object) {
				continue
			}
			f := refuse(fmt.Sprintf("it would fail: the table of %s has rows", fact.Object), a.cmd("lint")).at(id)
			f.Detail.File, f.Detail.Line, f.Detail.Hint = a.steps[id].migration.File, fact.Line, fact.Message
			return f
		}
	}
	return nil
}

// forbidden refuses a step for which the login lacks rights.
func (a *App) forbidden(ctx context.Context, seen *sight, id plan.StepID, action store.Action) *Failure {
	permitter, able := store.As[store.Permitter](seen.st)
	if !able {
		return nil
	}
	missing, err := permitter.Lacking(ctx, action)
	if err == nil && len(missing) > 0 {
		err = &store.RightsError{Missing: strings.Join(missing, ", ")}
	}
	if err == nil {
		return nil
	}
	f := a.explain(seen.name, err).at(id)
	f.Detail.Safe = nothingChanged
	return f
}

// uncuttable refuses a backfill that could not be interrupted: its table has no
// key to go on from.
func (a *App) uncuttable(ctx context.Context, seen *sight, id plan.StepID, action store.Action) *Failure {
	cutter, able := store.As[store.Cutter](seen.st)
	if !able || id.Kind != plan.Backfill {
		return nil
	}
	because, err := cutter.Uncuttable(ctx, action)
	if err != nil {
		return a.explain(seen.name, err).at(id)
	}
	if because == "" {
		return nil
	}
	f := refuse(because, a.cmd("lint")).at(id)
	f.Detail.File, f.Detail.Line = a.steps[id].migration.File, a.steps[id].section.Line
	return f
}

// makesKey tells whether statements may give a table its key.
func makesKey(action store.Action) bool {
	return slices.ContainsFunc(action.Statements(), func(s store.Statement) bool {
		text := strings.ToUpper(s.Text)
		return strings.Contains(text, "PRIMARY") || strings.Contains(text, "UNIQUE")
	})
}

// hasRows tells whether the table of a column has any. A table that cannot be
// asked (it is made by an earlier step of the same plan) has none.
func (a *App) hasRows(ctx context.Context, seen *sight, column string) bool {
	table := column
	if dot := strings.LastIndexByte(column, '.'); dot > 0 {
		table = column[:dot]
	}
	parsed, err := seen.kind.Parse(store.Section{Text: "SELECT 1 FROM " + table + " LIMIT 1", Shape: store.Query, Line: 1})
	if err != nil {
		return false
	}
	found, err := seen.st.Do(ctx, store.Task{Action: parsed.Action, Sample: 1})
	return err == nil && found.Rows > 0
}

// made gives the plan as it is shown, on stores as they are.
func (a *App) made(ctx context.Context, w *way, withSQL bool) (*wire.Plan, error) {
	doc, err := a.document(ctx, w, withSQL)
	if err != nil {
		return nil, a.explain("", err)
	}
	if len(doc.Blocked) > 0 {
		doc.Exit = ExitRefused
	}
	return doc, nil
}

// PlanOptions say what to plan and how much to say.
type PlanOptions struct {
	Target
	SQL bool // with the statements of every step
}

// Plan computes the way to a target, and changes nothing.
func (a *App) Plan(ctx context.Context, ask PlanOptions) (*wire.Plan, error) {
	sights := a.look(ctx)
	if err := a.sound(ctx, sights); err != nil {
		return nil, err
	}
	w, err := a.way(ctx, sights, ask.Target)
	if err != nil {
		return nil, a.explain("", err)
	}
	if _, below := a.below(w); below {
		w.notes = append(w.notes, fmt.Sprintf("%s is older than what is applied: plan and apply never go down; see rollback", ask.To))
	}
	if len(w.plan.Blocked) == 0 {
		if err := a.foredoomed(ctx, w); err != nil {
			return nil, err
		}
	}
	return a.made(ctx, w, ask.SQL)
}
