package stopover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// CleanupOptions say how to go about it.
type CleanupOptions struct {
	Fleet   map[string][]string // see Target.Fleet
	Until   time.Time
	Confirm Confirm // asked before the first contract; nil: go on
	// ShutOut the logins of older releases of the store first, where they have logins of
	// their own: they stay out. It takes the place of an attestation.
	ShutOut bool
}

// Cleanup runs the contracts that are provably allowed: everything before them
// is done, every live release meets their floors, the soak is over and a
// verification that is run now finds nothing. What may not run is refused with
// its reason, and leaves nothing behind.
func (a *App) Cleanup(ctx context.Context, ask CleanupOptions) (report *wire.Report, err error) {
	report = a.newReport("cleanup")
	begun := time.Now()
	defer func() { a.ended(ctx, report, begun, err) }()
	sights := a.look(ctx)
	if err := a.sound(ctx, sights); err != nil {
		return report, err
	}
	w, err := a.way(ctx, sights, Target{Fleet: ask.Fleet})
	if err != nil {
		return report, a.explain("", err)
	}
	w.shutOut = ask.ShutOut
	if err := a.keepRollouts(ctx, w); err != nil {
		return report, err
	}
	ready, err := a.ready(ctx, w, report)
	if err != nil {
		return report, err
	}
	if len(ready) == 0 {
		return report, a.nothingToClean(ctx, report, w)
	}
	if ask.Confirm != nil {
		doc, err := a.document(ctx, w, false)
		if err != nil {
			return report, a.explain("", err)
		}
		question := fmt.Sprintf("Run %s? There is no way back from it without a restore.", plural(int64(len(ready)), "contract"))
		if logins := a.bans(w, ready); len(logins) > 0 {
			question = fmt.Sprintf("Shut out %s, then run %s? There is no way back from it without a restore.",
				strings.Join(logins, ", "), plural(int64(len(ready)), "contract"))
		}
		if err := confirmed(ask.Confirm(question, doc)); err != nil {
			return report, err
		}
	}
	return report, a.clean(ctx, report, w, ready, ask)
}

// ready lists the contracts that may run, and reports why the others may not.
func (a *App) ready(ctx context.Context, w *way, report *wire.Report) ([]plan.StepID, error) {
	var ready []plan.StepID
	for _, s := range w.cat.Steps {
		if s.ID.Kind != plan.Contract || w.state.Done[s.ID] || s.Skip != "" || a.store(s.ID.Store) == nil {
			continue
		}
		because, evidence := a.notYet(w, s.ID)
		if because == "" {
			strangers, err := a.strangersOf(ctx, w, s.ID.Store, a.banOf(w, s.ID))
			if err != nil && !unlisted(err) {
				return nil, err
			}
			if len(strangers) > 0 {
				because, evidence = fmt.Sprintf("%s has clients that hold no lease", s.ID.Store), strangers
			}
		}
		if because == "" {
			ready = append(ready, s.ID)
			continue
		}
		report.Refused = append(report.Refused, wire.Refusal{Store: s.ID.Store, Migration: s.ID.Migration, Step: s.ID.Kind.String(),
			Because: because, Evidence: evidence})
	}
	return ready, nil
}

// notYet says why a contract may not run now, and who stands against it; "": it
// may.
func (a *App) notYet(w *way, id plan.StepID) (because string, evidence []string) {
	for _, kind := range []plan.Kind{plan.Expand, plan.Backfill, plan.Verify, plan.Cutover} {
		before := plan.StepID{Store: id.Store, Migration: id.Migration, Kind: kind}
		if a.steps[before] != nil && !w.state.Done[before] && !skipped(w.cat, before) {
			return fmt.Sprintf("%s is not done", before), nil
		}
	}
	if no := plan.Allowed(w.cat, a.withoutBanned(w, id), id); len(no) > 0 {
		return no.String(), w.against(no)
	}
	return a.soaking(w, id), nil
}

// against says who stands against a step, one line each.
func (w *way) against(no plan.Refusal) []string {
	var lines []string
	for _, reason := range no {
		if reason.Component != "" && reason.Release != plan.NoRelease {
			lines = append(lines, w.witnesses(reason.Component, reason.Release)...)
		}
	}
	return lines
}

func skipped(cat plan.Catalogue, id plan.StepID) bool {
	return slices.ContainsFunc(cat.Steps, func(s plan.Step) bool { return s.ID == id && s.Skip != "" })
}

// nothingToClean ends a cleanup that found no contract to run: well, if there
// is none, and refused, if there are some that may not run.
func (a *App) nothingToClean(ctx context.Context, report *wire.Report, w *way) error {
	if err := a.settled(ctx, report, w, w.sights); err != nil {
		return err
	}
	report.Exit, report.Stop, report.Rolls = ExitDone, nil, []wire.Action{}
	report.Next = []string{}
	if len(report.Refused) == 0 {
		return nil
	}
	f := refuse("not now: "+report.Refused[0].Because, a.cmd("plan"), a.cmd("status"))
	if len(report.Refused[0].Evidence) > 0 {
		f.Next = []string{a.cmd("fleet"), a.cmd("plan")}
	}
	if a.shutOutWouldDo(w) {
		f.Next = append(f.Next, a.cmd("cleanup --shut-out"))
	}
	first := report.Refused[0]
	kind, _ := plan.ParseKind(first.Step)
	return f.at(plan.StepID{Store: first.Store, Migration: first.Migration, Kind: kind})
}

// clean verifies, calls the hook, and runs the contracts.
func (a *App) clean(ctx context.Context, report *wire.Report, w *way, ready []plan.StepID, ask CleanupOptions) error {
	var stores []*sight
	for _, seen := range w.sights {
		if slices.ContainsFunc(ready, func(id plan.StepID) bool { return id.Store == seen.name }) {
			stores = append(stores, seen)
		}
	}
	s, err := a.take(ctx, "cleanup", stores, ask.Until)
	if err != nil {
		return err
	}
	defer s.release()
	again, err := a.way(s.ctx, s.sights(w.sights), Target{Fleet: ask.Fleet})
	if err != nil {
		return a.explain("", err)
	}
	again.shutOut = w.shutOut
	if ready, err = a.ready(s.ctx, again, a.newReport("cleanup")); err != nil {
		return err
	}
	firm, err := a.proveAll(s, report, ready)
	if err != nil {
		return err
	}
	if len(ready) > 0 {
		if err := a.beforeNoReturn(s.ctx, report, "cleanup"); err != nil {
			return err
		}
	}
	for _, id := range ready {
		if err := a.contract(s, again, report, id, firm[id]); err != nil {
			return err
		}
	}
	if err := a.settled(ctx, report, again, s.sights(w.sights)); err != nil {
		return err
	}
	report.Exit = ExitDone
	if len(report.Refused) > 0 {
		report.Exit = ExitRefused
	}
	return nil
}

// proveAll asks every contract's proof before the first of them runs, so that
// the hook is not called in vain.
func (a *App) proveAll(s *session, report *wire.Report, ready []plan.StepID) (firm map[plan.StepID]bool, err error) {
	firm = map[plan.StepID]bool{}
	for _, id := range ready {
		proof, err := a.proof(a.steps[id])
		if err != nil {
			return nil, a.explain(id.Store, err)
		}
		h := s.held[id.Store]
		line, begun := h.books.Lines[book.Step{Migration: id.Migration, Kind: id.Kind}]
		if proof == nil || begun && line.IsBegun() {
			continue // one that was cut short was proven when it began; what it took away cannot be asked any more
		}
		found, err := run.Check(s.ctx, h.st, proof, sampleSize)
		if err != nil {
			return nil, a.explain(id.Store, err).at(id)
		}
		if found.Rows > 0 {
			report.Violations = append(report.Violations, a.violation(id, found))
			return nil, a.explain(id.Store, &store.ViolationError{Rows: found.Rows, Sample: found.Sample}).at(id)
		}
		firm[id] = found.Took < firmProof
		report.Did = append(report.Did, wire.Deed{Kind: wire.DeedVerify, Store: id.Store, Migration: id.Migration,
			Step: plan.Verify.String(), Rows: -1, Seconds: found.Took.Seconds()})
	}
	return firm, nil
}

// firmProof is the longest time that the application's writers are kept waiting
// for a proof. A proof that takes longer is asked beside them: then floors, and
// a contract whose constraints refuse old rows, are what keeps them right.
const firmProof = 500 * time.Millisecond

func (a *App) violation(id plan.StepID, found store.Progress) wire.Violation {
	v := wire.Violation{Store: id.Store, Migration: id.Migration, Step: plan.Verify.String(), Rows: found.Rows, Sample: found.Sample}
	if verify := a.steps[plan.StepID{Store: id.Store, Migration: id.Migration, Kind: plan.Verify}]; verify != nil {
		v.File, v.Line = verify.migration.File, verify.section.Line
	}
	if v.Sample == nil {
		v.Sample = []string{}
	}
	return v
}

// contract runs one contract with its proof in the same transaction.
func (a *App) contract(s *session, w *way, report *wire.Report, id plan.StepID, firm bool) error {
	work, err := a.work(a.steps[id])
	if err != nil {
		return a.explain(id.Store, err)
	}
	work.Firm = firm
	h := s.held[id.Store]
	if err := a.ban(s, w, h, id); err != nil {
		return err
	}
	back, err := a.raise(s, w, h, work)
	if err != nil {
		return err
	}
	outcome, err := h.runner.Perform(s.ctx, work)
	if err != nil {
		err = errors.Join(err, back(s.ctx, err))
	}
	h.books = h.runner.Books
	if err != nil {
		return a.explain(id.Store, err)
	}
	report.Did = append(report.Did, deed(id, wire.DeedStep, outcome))
	return a.liftOld(s.ctx, h, id.Migration)
}

// beforeNoReturn calls the user's hook, a backup for example. If it fails,
// nothing is run, and the command can be given again.
func (a *App) beforeNoReturn(ctx context.Context, report *wire.Report, again string) error {
	command := a.project.BeforeNoReturn
	if command == "" {
		return nil
	}
	a.cfg.tell(Event{Kind: wire.EventHook, Text: command})
	begun := time.Now()
	said, err := a.hook(ctx, 0, command)
	if err != nil {
		f := &Failure{Exit: ExitFailed, Err: err, Next: []string{a.cmd(again)}}
		f.Detail = wire.Error{Kind: wire.KindHook, Message: fmt.Sprintf("before_no_return (%s): %s", command, exitText(err)),
			Detail: said, Safe: "nothing was begun that has no way back"}
		return f
	}
	report.Did = append(report.Did, wire.Deed{Kind: wire.DeedHook, Rows: -1, Seconds: time.Since(begun).Seconds(), Note: command})
	return nil
}
