package stopover

import (
	"fmt"

	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// step is one step of a migration, from a file or in Go, with its reversal.
// Its statements are understood only when they are needed: a store with
// thousands of migrations done costs nothing but their checksums.
type step struct {
	id        plan.StepID
	migration *files.Migration
	section   *files.Section
	undo      *files.Section // nil: it cannot be reversed by a section of its own

	action, undoAction store.Action // in Go; nil: from a file
	parsed             *store.Parsed
}

// index gathers the steps of all migrations.
func (a *App) index() {
	a.steps = make(map[plan.StepID]*step, len(a.project.Migrations))
	goActions := map[plan.StepID]store.Action{}
	undoActions := map[plan.StepID]store.Action{}
	for _, m := range a.cfg.Migrations {
		for _, s := range m.Steps {
			id := plan.StepID{Store: m.Store, Migration: m.Name, Kind: s.Kind}
			if s.Undo {
				undoActions[id] = s.Do
			} else {
				goActions[id] = s.Do
			}
		}
	}
	for i := range a.project.Migrations {
		m := &a.project.Migrations[i]
		for j := range m.Sections {
			section := &m.Sections[j]
			if section.Undo {
				continue
			}
			id := plan.StepID{Store: m.Store, Migration: m.Name, Kind: section.Kind}
			a.steps[id] = &step{id: id, migration: m, section: section, undo: m.Section(section.Kind, true),
				action: goActions[id], undoAction: undoActions[id]}
		}
	}
}

// shapeOf is how the work of a step in a file is divided by default. A contract
// is Stretched where the action says so that its text becomes.
func shapeOf(kind plan.Kind, undo bool) store.Shape {
	switch {
	case undo:
		return store.Whole
	case kind == plan.Backfill:
		return store.Stretched
	case kind == plan.Verify:
		return store.Query
	}
	return store.Whole
}

// parse understands the step's section for its kind of store.
func (a *App) parse(s *step) (store.Parsed, error) {
	if s.parsed != nil {
		return *s.parsed, nil
	}
	if s.action != nil {
		s.parsed = &store.Parsed{Action: s.action}
		return *s.parsed, nil
	}
	parsed, err := a.parseSection(s, s.section)
	if err == nil {
		s.parsed = &parsed
	}
	return parsed, err
}

func (a *App) parseSection(s *step, section *files.Section) (store.Parsed, error) {
	p := a.store(s.id.Store)
	if p == nil || p.kind.Parse == nil {
		return store.Parsed{}, fmt.Errorf("%s: nothing can read migrations for the store %q", s.migration.File, s.id.Store)
	}
	text := store.Section{File: s.migration.File, Line: section.Line, Text: section.Text,
		Shape: shapeOf(section.Kind, section.Undo), Each: section.Each, Table: section.Table,
		Contract: section.Kind == plan.Contract && !section.Undo, Cutover: section.Kind == plan.Cutover,
		Followed: s.migration.Section(plan.Cutover, false) != nil}
	if b := s.migration.Section(plan.Backfill, false); b != nil && b != section {
		text.About = &store.Section{File: s.migration.File, Line: b.Line, Text: b.Text, Shape: store.Stretched}
	}
	switch mirrors := mirrorsOf(s.migration); {
	case section.Kind == plan.Expand && section.Undo, section.Kind == plan.Contract:
		text.Ends = mirrors
	case section.Kind == plan.Expand:
		text.Begins = mirrors
	}
	parsed, err := p.kind.Parse(text)
	if err == nil && sealOf(parsed.Action) != nil && s.migration.Section(plan.Verify, false) == nil {
		err = &store.SyntaxError{File: s.migration.File, Line: section.Line,
			Message: "what the contract takes away is proven by what a verification kept, and the file has no verify"}
	}
	return parsed, err
}

// sealOf gives what the verification has to keep for a contract; nil: nothing.
func sealOf(contract store.Action) store.Action {
	if sealed, ok := contract.(store.Sealed); ok {
		return sealed.Seals()
	}
	return nil
}

// mirrorsOf lists the mirrors of a migration: its expand begins them, and its
// contract, or the reversal of the expand, ends them.
func mirrorsOf(m *files.Migration) []store.Mirror {
	expand := m.Section(plan.Expand, false)
	if expand == nil {
		return nil
	}
	var mirrors []store.Mirror
	for i, d := range expand.Mirrors {
		name := m.Name
		if i > 0 {
			name = fmt.Sprintf("%s.%d", m.Name, i+1) // no migration has a dot in its name
		}
		mirrors = append(mirrors, store.Mirror{Name: name, Line: d.Line, Table: d.Table, Old: d.Old, New: d.New, Up: d.Up, Down: d.Down})
	}
	return mirrors
}

// work makes a step ready to be performed.
func (a *App) work(s *step) (run.Work, error) {
	parsed, err := a.parse(s)
	if err != nil {
		return run.Work{}, err
	}
	w := run.Work{ID: s.id, Sum: s.section.Sum, File: s.migration.File, Action: parsed.Action,
		Each: s.section.Each || anyAlone(parsed.Action), Repeatable: parsed.Repeatable, LockTimeout: s.section.LockTimeout,
		Writers: s.section.Writers, Readers: s.section.Readers}
	sibling := func(kind plan.Kind) *step {
		return a.steps[plan.StepID{Store: s.id.Store, Migration: s.id.Migration, Kind: kind}]
	}
	switch s.id.Kind {
	case plan.Cutover:
		if w.Writers == "" { // it shuts out all that do not need it
			w.Writers = s.section.Needs
		}
	case plan.Backfill:
		if sibling(plan.Verify) == nil {
			w.Match = parsed.Match
		}
	case plan.Verify:
		if backfill := sibling(plan.Backfill); backfill != nil {
			swept, err := a.work(backfill)
			if err != nil {
				return w, err
			}
			w.Sweeps = &swept
		}
		if contract := sibling(plan.Contract); contract != nil {
			parsed, err := a.parse(contract)
			if err != nil {
				return w, err
			}
			w.Seal = sealOf(parsed.Action)
		}
	case plan.Contract:
		w.Proof, err = a.proof(s)
	}
	return w, err
}

// proof is what must find nothing before a contract: the queries of verify, or
// what the backfill would still change. One that looks at what the verification
// kept proves each record by itself: by then new writers may have changed what
// the queries compare.
func (a *App) proof(contract *step) (store.Action, error) {
	own, err := a.parse(contract)
	if err != nil || sealOf(own.Action) != nil {
		return nil, err
	}
	id := contract.id
	id.Kind = plan.Verify
	if verify := a.steps[id]; verify != nil {
		parsed, err := a.parse(verify)
		return parsed.Action, err
	}
	id.Kind = plan.Backfill
	if backfill := a.steps[id]; backfill != nil {
		parsed, err := a.parse(backfill)
		return parsed.Match, err
	}
	return nil, nil
}

// undoWork makes the reversal of a step ready. A step without anything to take
// back has no action.
func (a *App) undoWork(s *step) (run.Work, error) {
	w := run.Work{ID: s.id, Sum: s.section.Sum, File: s.migration.File}
	switch {
	case s.undoAction != nil:
		w.Action = s.undoAction
	case s.undo != nil:
		parsed, err := a.parseSection(s, s.undo)
		if err != nil {
			return w, err
		}
		w.Action = parsed.Action
	}
	return w, nil
}

func anyAlone(action store.Action) bool {
	for _, s := range action.Statements() {
		if s.Alone {
			return true
		}
	}
	return false
}
