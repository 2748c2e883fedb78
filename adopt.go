package stopover

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// AdoptOptions say where existing stores stand.
type AdoptOptions struct {
	// At is a release, what it needs is taken to be there; or
	// STORE:MIGRATION[.STEP], that and everything before it; or STORE:none, nothing
	// yet.
	At string
	// Uncleaned: with a step, the contracts before it are taken to be still to come,
	// as they always are with a release.
	Uncleaned bool
	Confirm   Confirm // asked before the books are made; nil: go on
}

// Adopt records the position of stores that have no books yet, and runs
// nothing.
func (a *App) Adopt(ctx context.Context, ask AdoptOptions) (report *wire.Report, err error) {
	report = a.newReport("adopt")
	report.To = ask.At
	begun := time.Now()
	defer func() { a.ended(ctx, report, begun, err) }()
	w := &way{target: Target{To: ask.At}, sights: a.look(ctx)}
	if strings.HasSuffix(ask.At, ":none") {
		w.target.To = ""
	}
	if err := a.adoptable(ctx, w, ask.At); err != nil {
		return report, a.explain("", err)
	}
	if err := a.catalogue(w); err != nil {
		return report, a.explain("", err)
	}
	there, stores, err := a.taken(w, ask)
	if err != nil {
		return report, a.explain("", err)
	}
	if ask.Confirm != nil {
		question := fmt.Sprintf("Record %s as done, without running any?", plural(int64(len(there)), "step"))
		if err := confirmed(ask.Confirm(question, nil)); err != nil {
			return report, err
		}
	}
	return report, a.record(ctx, report, w, stores, there)
}

// adoptable refuses stores that have books already, and, without a position,
// shows what is there: only a person can tell.
func (a *App) adoptable(ctx context.Context, w *way, at string) error {
	named, _, isStep := strings.Cut(at, ":")
	for _, s := range w.sights {
		if s.err != nil {
			return a.unseen(s)
		}
		if isStep && s.name != named {
			continue
		}
		if s.stamped() {
			return refuse("the store has books already: its position is known", a.cmd("status")).in(s.name)
		}
		survey, err := s.surveyed(ctx)
		if err != nil {
			return a.explain(s.name, err)
		}
		if at == "" {
			return undecided("where the store stands, only you can tell", survey.Evidence,
				a.cmd("adopt --at "+a.exampleTarget(s.name)), a.cmd("init")).in(s.name)
		}
	}
	return nil
}

// taken lists the steps that the position says are there, and the stores that
// it is about.
func (a *App) taken(w *way, ask AdoptOptions) ([]plan.StepID, []*sight, error) {
	at := ask.At
	var keep func(plan.Step) bool
	stores := w.sights
	switch storeName, name, isStep := strings.Cut(at, ":"); {
	case isStep && name == "none":
		seen := findSight(w.sights, storeName)
		if seen == nil {
			return nil, nil, misuse(fmt.Sprintf("there is no store %q", storeName), a.cmd("status"))
		}
		return nil, []*sight{seen}, nil
	case isStep:
		target, err := a.named(w, at)
		if err != nil {
			return nil, nil, err
		}
		keep = func(s plan.Step) bool {
			return s.ID.Store == target.Store && !behind(s.ID, target) && !(ask.Uncleaned && s.ID.Kind == plan.Contract)
		}
		stores = []*sight{findSight(w.sights, storeName)}
	default:
		var err error
		if keep, err = a.keepFor(w, at); err != nil {
			return nil, nil, err
		}
		inner := keep
		keep = func(s plan.Step) bool { return s.ID.Kind != plan.Contract && inner(s) }
	}
	var there []plan.StepID
	for _, s := range w.cat.Steps {
		if a.store(s.ID.Store) != nil && keep(s) {
			there = append(there, s.ID)
		}
	}
	return there, stores, nil
}

// record makes the books and writes the lines of a store in one swap: whoever
// dies before it leaves a store that can still be adopted, stamped or not.
func (a *App) record(ctx context.Context, report *wire.Report, w *way, stores []*sight, there []plan.StepID) error {
	for _, seen := range stores {
		if err := a.recordOne(ctx, report, seen, there); err != nil {
			return a.explain(seen.name, err)
		}
	}
	return a.settled(ctx, report, w, a.look(ctx))
}

func (a *App) recordOne(ctx context.Context, report *wire.Report, seen *sight, there []plan.StepID) error {
	if err := seen.st.Prepare(ctx); err != nil {
		return fmt.Errorf("make the books: %w", err)
	}
	lease, err := book.Acquire(ctx, seen.st, a.askFor("adopt", seen.name))
	if err != nil {
		return err
	}
	defer lease.Release()
	books, err := book.Read(ctx, seen.st)
	if err != nil {
		return err
	}
	if books.Stamp != nil {
		return refuse("somebody else has just made its books", a.cmd("status")).in(seen.name)
	}
	var notes []store.Note
	now := books.Clock()
	for _, id := range there {
		if id.Store != seen.name {
			continue
		}
		s := a.steps[id].section
		line := book.Line{Migration: id.Migration, Kind: id.Kind, Sum: s.Sum, Begun: now, Done: now, Baseline: true,
			Release: a.cfg.Release, Host: host(), Operator: a.operator(), Writers: s.Writers, Readers: s.Readers}
		notes = append(notes, line.Note())
		report.Did = append(report.Did, wire.Deed{Kind: wire.DeedAdopt, Store: id.Store, Migration: id.Migration, Step: id.Kind.String(), Rows: -1})
	}
	stamp := book.Stamp{ID: newID(), Application: a.project.Application, Since: now}
	return lease.Stamp(lease.Context(), stamp, notes...)
}

// Init sets up stores that are empty: everything runs, contracts last. A store
// that is neither empty nor known is left alone. With current, it then answers
// as Check does.
func (a *App) Init(ctx context.Context, current bool, ask Confirm) (report *wire.Report, err error) {
	begun := time.Now()
	defer func() { a.ended(ctx, report, begun, err) }()
	report, err = a.upgradeEmpty(ctx, ask)
	if err != nil || !current {
		return report, err
	}
	check, err := a.Check(ctx, CheckOptions{})
	if err != nil {
		return report, err
	}
	report.Exit, report.Next = check.Exit, check.Next
	report.Error = check.Error
	return report, nil
}

// upgradeEmpty runs everything on the stores that are empty or were being made,
// and leaves the others as they are.
func (a *App) upgradeEmpty(ctx context.Context, ask Confirm) (*wire.Report, error) {
	report := a.newReport("init")
	sights := a.look(ctx)
	if err := a.sound(ctx, sights); err != nil {
		return report, err
	}
	if !slices.ContainsFunc(sights, (*sight).untouched) {
		w, err := a.way(ctx, sights, Target{})
		if err != nil {
			return report, a.explain("", err)
		}
		err = a.settled(ctx, report, w, sights)
		report.Exit, report.Stop, report.Rolls = ExitDone, nil, []wire.Action{}
		if report.Left.Pending > 0 {
			report.Next = []string{a.cmd("apply")}
		}
		return report, err
	}
	return a.upgrade(ctx, "init", ApplyOptions{Confirm: ask})
}
