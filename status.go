package stopover

import (
	"context"
	"slices"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// Status says where every store stands: one query a store that has books.
func (a *App) Status(ctx context.Context) (*wire.Status, error) {
	doc := &wire.Status{Head: wire.NewHead("status"), Application: a.project.Application, Stores: []wire.StoreStatus{}}
	sights := a.look(ctx)
	w, err := a.standing(ctx, sights)
	if err != nil {
		return doc, a.explain("", err)
	}
	var worst *Failure
	for _, s := range sights {
		shown := a.statusOf(ctx, w, s)
		doc.Stores = append(doc.Stores, shown)
		if f := a.problemOf(s, shown); f != nil && worst == nil {
			worst = f
		}
		if s.books != nil && s.books.Route != nil && doc.Route == nil {
			doc.Route = &wire.Route{To: s.books.Route.To, Who: s.books.Route.Who, Since: s.books.Route.Since}
		}
	}
	for _, b := range setBacks(sights) {
		f := a.refuseSetBack(sights)
		if worst == nil {
			worst = f
		}
		for i := range doc.Stores {
			if doc.Stores[i].Name == b.name && doc.Stores[i].Problem == nil {
				doc.Stores[i].Problem = &wire.Error{Message: b.String(), Hint: f.Detail.Hint}
			}
		}
	}
	doc.Next = a.afterStatus(doc)
	if worst != nil {
		doc.Exit = worst.Exit
		doc.Next = slices.DeleteFunc(slices.Clone(worst.Next), func(next string) bool { return next == a.cmd("status") })
	}
	return doc, nil
}

// standing holds the ledgers against the catalogue, without a target.
func (a *App) standing(ctx context.Context, sights []*sight) (*way, error) {
	w := &way{sights: sights}
	if err := a.catalogue(w); err != nil {
		return nil, err
	}
	w.state = a.ledgers(sights)
	return w, a.predicates(ctx, w)
}

// problemOf is why status does not exit with 0: a store that cannot be seen or
// whose files and ledger disagree.
func (a *App) problemOf(s *sight, shown wire.StoreStatus) *Failure {
	if shown.State == wire.StateUnstamped {
		return a.unadopted(s, *s.survey)
	}
	return a.trouble(s)
}

func (a *App) statusOf(ctx context.Context, w *way, s *sight) wire.StoreStatus {
	shown := wire.StoreStatus{Name: s.name, Kind: s.kind.Name, Floors: []wire.Floor{}, Drift: []string{}, Newer: []string{},
		Missing: []string{}, Edited: []string{}, Evidence: []string{}, Late: []string{}}
	shown.Place = placeOf(s.st)
	if s.err != nil {
		shown.State = wire.StateUnreachable
		detail := a.unseen(s).Detail
		shown.Problem = &detail
		return shown
	}
	a.countSteps(w, s, &shown)
	shown.Lease, shown.Control = leaseOf(s.books), controlOf(s.books.Control)
	shown.Begun = a.begunOf(s)
	shown.Newer, shown.Missing = names(s.name, s.newer), names(s.name, s.missing)
	for _, id := range s.edited {
		shown.Edited = append(shown.Edited, id.Ref())
	}
	for _, id := range s.late {
		shown.Late = append(shown.Late, id.Ref())
	}
	shown.Skips = w.skipped(s.name)
	shown.State = a.stateOf(ctx, s, &shown)
	return shown
}

// placeOf says where a store is, as far as that is known without asking it.
func placeOf(s store.Store) string {
	if placer, able := store.As[store.Placer](s); able {
		return placer.Place()
	}
	return ""
}

func (a *App) countSteps(w *way, s *sight, shown *wire.StoreStatus) {
	shown.Position, _ = plan.Position(w.cat, w.state, s.name)
	for _, step := range w.cat.Steps {
		switch {
		case step.ID.Store != s.name:
		case w.state.Done[step.ID]:
			shown.Done++
		case step.Skip != "":
			shown.Skipped++
		case step.ID.Kind == plan.Contract:
			shown.Later++
		default:
			shown.Pending++
		}
	}
	for _, step := range w.cat.Steps {
		if step.ID.Store == s.name && (w.state.Done[step.ID] || w.state.Begun[step.ID]) {
			shown.Floors = raise(shown.Floors, "writers", step.Writers, w, step.ID)
			shown.Floors = raise(shown.Floors, "readers", step.Readers, w, step.ID)
		}
	}
}

// raise keeps the highest floor of a role.
func raise(floors []wire.Floor, role string, release int, w *way, because plan.StepID) []wire.Floor {
	if release == plan.NoRelease || w.cat.Implicit {
		return floors
	}
	next := wire.Floor{Role: role, Release: w.index.ID(release), Because: because.Ref()}
	for i := range floors {
		if floors[i].Role != role {
			continue
		}
		if at, known := w.index.At(floors[i].Release); known && at < release {
			floors[i] = next
		}
		return floors
	}
	return append(floors, next)
}

func (a *App) stateOf(ctx context.Context, s *sight, shown *wire.StoreStatus) wire.StoreState {
	switch {
	case len(s.newer) > 0:
		return wire.StateNewer
	case len(s.missing)+len(s.edited)+len(s.late) > 0:
		return wire.StateTrouble
	case s.stamped() && shown.Pending > 0:
		return wire.StatePending
	case s.stamped():
		return wire.StateCurrent
	}
	survey, err := s.surveyed(ctx)
	if err != nil {
		detail := a.explain(s.name, err).Detail
		shown.Problem = &detail
		return wire.StateUnreachable
	}
	shown.Place, shown.Server = survey.Place, survey.Server
	if survey.Empty {
		return wire.StateEmpty
	}
	shown.Evidence = survey.Evidence
	return wire.StateUnstamped
}

func names(storeName string, lines []book.Line) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = line.ID(storeName).Ref()
	}
	return list
}

func leaseOf(books *book.State) *wire.Lease {
	if books.Holder == nil {
		return nil
	}
	h := books.Holder
	left := h.Left(books.Now)
	return &wire.Lease{Host: h.Host, PID: h.PID, Operator: h.Operator, Command: h.Command, Since: h.Since, Epoch: h.Epoch,
		Renewed: books.Now.Sub(h.Renewed).Seconds(), FreeIn: max(0, left).Seconds(), Live: left > 0}
}

// begunOf is the step that was begun and is not done.
func (a *App) begunOf(s *sight) *wire.Begun {
	for key, line := range s.books.Lines {
		if !line.IsBegun() {
			continue
		}
		shown := &wire.Begun{Migration: key.Migration, Step: key.Kind.String(), Since: line.Begun,
			Host: line.Host, Operator: line.Operator, Statement: len(line.Finished), Rows: line.Rows}
		if cursor, found := s.books.Cursors[key]; found {
			shown.Rows, shown.Total, shown.Cursor = cursor.Changed(), cursor.Total, cursor.Reached()
			if cursor.Total > 0 {
				shown.Percent = min(100, 100*float64(cursor.Seen())/float64(cursor.Total))
			}
		}
		if known := a.steps[line.ID(s.name)]; known != nil && (len(line.Finished) > 0 || line.Doing > 0) {
			if parsed, err := a.parse(known); err == nil {
				shown.Statements = len(parsed.Action.Statements())
			}
		}
		return shown
	}
	return nil
}

// afterStatus is what to type next.
func (a *App) afterStatus(doc *wire.Status) []string {
	pending, later := 0, 0
	for _, s := range doc.Stores {
		pending += s.Pending
		later += s.Later
	}
	switch {
	case pending > 0:
		return []string{a.cmd("plan"), a.cmd("apply")}
	case later > 0:
		return []string{a.cmd("cleanup")}
	}
	return []string{}
}

// List gives every step of every store, with what the ledger says of it.
func (a *App) List(ctx context.Context) (*wire.List, error) {
	doc := &wire.List{Head: wire.NewHead("list"), Application: a.project.Application, Stores: []wire.StoreList{}}
	sights := a.look(ctx)
	if err := a.firstUnseen(sights); err != nil {
		return doc, err
	}
	w, err := a.standing(ctx, sights)
	if err != nil {
		return doc, a.explain("", err)
	}
	for _, s := range sights {
		list := wire.StoreList{Name: s.name, Kind: s.kind.Name, Steps: []wire.Step{}}
		for _, step := range w.cat.Steps {
			if step.ID.Store == s.name {
				list.Steps = append(list.Steps, a.listed(w, s, step))
			}
		}
		for _, line := range s.missing {
			list.Steps = append(list.Steps, unfiled(line, wire.StepMissing, "no file has it"))
		}
		for _, line := range s.newer {
			list.Steps = append(list.Steps, unfiled(line, wire.StepNewer, "it was done by a newer release"))
		}
		doc.Stores = append(doc.Stores, list)
	}
	return doc, nil
}

func unfiled(line book.Line, state wire.StepState, because string) wire.Step {
	shown := wire.Step{Migration: line.Migration, Step: line.Kind.String(), State: state, Because: because, Rows: -1}
	fromLedger(&shown, line)
	return shown
}

func (a *App) listed(w *way, s *sight, step plan.Step) wire.Step {
	known := a.steps[step.ID]
	shown := wire.Step{Migration: step.ID.Migration, Step: step.ID.Kind.String(), File: known.migration.File, Line: known.section.Directive,
		Offline: step.Offline, Reverse: known.undo != nil || known.undoAction != nil, Rows: -1, Sum: known.section.Sum}
	if !w.cat.Implicit {
		shown.Writers, shown.Readers, shown.Needs = w.index.ID(step.Writers), w.index.ID(step.Readers), w.index.ID(step.Needs)
	}
	line, found := s.books.Lines[book.Step{Migration: step.ID.Migration, Kind: step.ID.Kind}]
	if found {
		fromLedger(&shown, line)
	}
	switch {
	case found && line.IsDone() && line.Sum != "" && line.Sum != known.section.Sum:
		shown.State, shown.Because = wire.StepEdited, "the file was changed after it was applied"
	case found && line.IsDone():
		shown.State = wire.StepDone
	case found && line.IsBegun():
		shown.State = wire.StepBegun
	case step.Skip != "":
		shown.State, shown.Because = wire.StepNotApplicable, step.Skip
	case step.ID.Kind == plan.Contract:
		shown.State = wire.StepContract
	default:
		shown.State = wire.StepPending
	}
	return shown
}

func fromLedger(shown *wire.Step, line book.Line) {
	if !line.Reversed.IsZero() {
		shown.Because = "taken back " + day(line.Reversed)
		return
	}
	shown.Begun = &line.Begun
	if !line.Done.IsZero() {
		shown.Done = &line.Done
		shown.Seconds = line.Done.Sub(line.Begun).Round(time.Millisecond).Seconds()
		shown.Rows = line.Rows
	}
	if line.Baseline {
		shown.Because = "adopted"
	}
	shown.Release, shown.Host, shown.Operator = line.Release, line.Host, line.Operator
}
