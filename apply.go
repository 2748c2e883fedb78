package stopover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// Confirm asks whether to go on with what a plan or a question says. It is
// called before anything is changed; false ends the command with exit code 3.
type Confirm func(question string, doc *wire.Plan) (bool, error)

// ApplyOptions say how far to go.
type ApplyOptions struct {
	Target
	// Plan is one that was made before: exactly that is done, or it is refused
	// because something changed since. nil: what is allowed now.
	Plan *wire.Plan
	// Until is when to begin nothing more; work under way ends at its next
	// stretch. Zero: no limit.
	Until time.Time
	// Confirm is asked first. nil: go on.
	Confirm Confirm
	// Retarget leaves a route that is under way for another target.
	Retarget bool
	// Sweep asks what was verified again, and opens backfills again for what is
	// found.
	Sweep bool
	// Wait goes on at a stop, as soon as leases or attestations show that what has
	// to be rolled out there runs, until the target or Until.
	Wait bool
	// Switch also cuts over, where a way comes to a switch: instances of the new
	// release have been started and wait in their gates, and the old ones get
	// errors from then on.
	Switch bool
	// Dev lets a development build run steps that raise floors.
	Dev bool
}

// Apply does what is allowed now, up to the next stop. Contracts are left to
// Cleanup, except on a store that was empty.
func (a *App) Apply(ctx context.Context, ask ApplyOptions) (report *wire.Report, err error) {
	begun := time.Now()
	defer func() { a.ended(ctx, report, begun, err) }()
	if ask.Wait {
		return a.walk(ctx, ask)
	}
	return a.upgrade(ctx, "apply", ask)
}

// upgrade is apply and init.
func (a *App) upgrade(ctx context.Context, command string, ask ApplyOptions) (*wire.Report, error) {
	report := a.newReport(command)
	report.To = ask.To
	sights := a.look(ctx)
	if err := a.sound(ctx, sights); err != nil {
		return report, err
	}
	w, err := a.way(ctx, sights, ask.Target)
	if err != nil {
		return report, a.explain("", err)
	}
	w.emptyOnly, w.sweep, w.cutOver = command == "init", ask.Sweep, ask.Switch
	if err := a.mayApply(ctx, w, ask); err != nil {
		return report, err
	}
	todo := a.allowedNow(w)
	if err := a.released(w, todo, ask.Dev); err != nil {
		return report, err
	}
	if err := a.keepRollouts(ctx, w); err != nil {
		return report, err
	}
	if len(todo) == 0 && len(unstamped(sights)) == 0 {
		if slices.ContainsFunc(sights, w.outdatedRoute) { // nothing to ask about: only the note changes
			return report, a.underLease(ctx, command, report, w, ask)
		}
		return report, a.settled(ctx, report, w, sights)
	}
	if err := a.confirm(ctx, w, ask.Confirm, fmt.Sprintf("Run %s?", plural(int64(len(todo)), "step"))); err != nil {
		return report, err
	}
	return report, a.underLease(ctx, command, report, w, ask)
}

// underLease takes the leases, plans once more from what is seen under them,
// and does it.
func (a *App) underLease(ctx context.Context, command string, report *wire.Report, w *way, ask ApplyOptions) error {
	s, err := a.take(ctx, command, involved(a, w), ask.Until)
	if err != nil {
		return err
	}
	defer s.release()
	sights := s.sights(w.sights)
	if err := a.sound(ctx, sights); err != nil {
		return err
	}
	again, err := a.way(s.ctx, sights, ask.Target)
	if err != nil {
		return a.explain("", err)
	}
	again.emptyOnly, again.sweep, again.cutOver = w.emptyOnly, w.sweep, w.cutOver
	if ask.Plan != nil {
		if err := a.stale(again, ask.Plan); err != nil {
			return err
		}
	}
	todo := a.allowedNow(again)
	if err := a.beforeCutover(s.ctx, report, again, todo); err != nil {
		return err
	}
	if err := a.perform(s, report, again, todo); err != nil {
		return err
	}
	if again.cutOver { // what has to be rolled is not what it was before the switch
		if again, err = a.way(s.ctx, s.sights(w.sights), ask.Target); err != nil {
			return a.explain("", err)
		}
	}
	if err := s.ripen(); err != nil {
		return err
	}
	if err := a.keepRoute(s, again); err != nil {
		return err
	}
	return a.settled(ctx, report, again, sights)
}

// sound refuses stores that cannot be seen, or whose ledger and files disagree,
// before anything is changed anywhere.
func (a *App) sound(ctx context.Context, sights []*sight) error {
	if len(sights) == 0 {
		return misuse(errNoStores.Error(), a.cmd("lint"))
	}
	if err := a.firstUnseen(sights); err != nil {
		return err
	}
	for _, s := range sights {
		if f := a.trouble(s); f != nil {
			return f
		}
		if s.stamped() {
			continue
		}
		survey, err := s.surveyed(ctx)
		if err != nil {
			return a.explain(s.name, err)
		}
		if !survey.Empty && survey.Stamped {
			if again := a.lookAt(ctx, s.place); again.err == nil && again.stamped() {
				*s = *again // somebody else has made it between the two looks
				continue
			}
		}
		if !survey.Empty {
			return a.unadopted(s, survey)
		}
	}
	if f := a.refuseSetBack(sights); f != nil {
		return f
	}
	return nil
}

// mayApply refuses a plan without a way, one that would fail on the data as it
// is, and a plan file that does not fit any more.
func (a *App) mayApply(ctx context.Context, w *way, ask ApplyOptions) error {
	if ask.Plan != nil {
		if err := a.stale(w, ask.Plan); err != nil {
			return err
		}
	}
	if err := a.onRoute(w, ask.Retarget); err != nil {
		return err
	}
	if len(w.plan.Blocked) > 0 {
		return a.blocked(w)
	}
	if id, below := a.below(w); below {
		return refuse(fmt.Sprintf("%s is older than what is applied: going down never happens by itself", ask.To),
			a.cmd("rollback --to "+ask.To), a.cmd("status")).in(id.Store)
	}
	if target := w.goal.Step; target.Kind == plan.Contract && !w.state.Done[target] && !findSight(w.sights, target.Store).untouched() {
		f := refuse("apply runs no contract on a store that is in use", a.cmd("cleanup"), a.cmd("plan --to "+ask.To)).at(target)
		f.Detail.Hint = "cleanup runs the contracts, after a verification and with a last question"
		return f
	}
	return a.foredoomed(ctx, w)
}

// blocked is the refusal of a plan without a way.
func (a *App) blocked(w *way) *Failure {
	f := refuse("there is no way: "+w.plan.Blocked[0].Because, a.cmd("plan"))
	for _, b := range w.plan.Blocked {
		f.Detail.Evidence = append(f.Detail.Evidence, b.Because)
	}
	return f
}

// below tells whether the target is a migration behind which others are done
// already: the target is reached, and more than reached.
func (a *App) below(w *way) (plan.StepID, bool) {
	target := w.goal.Step
	if target.Migration == "" {
		return target, false
	}
	for id := range w.state.Done {
		if id.Store == target.Store && id.Kind != plan.Contract && compareIDs(plan.StepID{Migration: id.Migration}, plan.StepID{Migration: target.Migration}) > 0 {
			return target, true
		}
	}
	return target, false
}

// allowedNow lists the steps that may run before anything else has to happen:
// up to the first rollout. On stores that are being made everything runs,
// contracts last.
func (a *App) allowedNow(w *way) []plan.StepID {
	var ids []plan.StepID
	if w.sweep {
		ids = a.toSweep(w)
	}
	rolled := false
	for _, leg := range w.plan.Legs {
		for _, action := range leg.Actions {
			if action.Kind == plan.DoSwitch && w.cutOver && a.switchable(w, action) == "" {
				ids = append(append(ids, action.Step), action.Also...)
			}
			if action.Kind != plan.DoStep {
				rolled = true
				break
			}
			ids = append(ids, action.Step)
		}
		if rolled || leg.Stop != nil {
			break
		}
	}
	for _, action := range w.plan.After {
		seen := findSight(w.sights, action.Step.Store)
		if action.Kind == plan.DoStep && !rolled && seen != nil && seen.untouched() {
			ids = append(ids, action.Step)
		}
	}
	return slices.DeleteFunc(ids, func(id plan.StepID) bool {
		return a.store(id.Store) == nil || w.emptyOnly && !findSight(w.sights, id.Store).untouched()
	})
}

// involved lists the stores that steps or stamps will be written to.
func involved(a *App, w *way) []*sight {
	var list []*sight
	todo := a.allowedNow(w)
	for _, s := range w.sights {
		if !s.stamped() || slices.ContainsFunc(todo, func(id plan.StepID) bool { return id.Store == s.name }) || s.fresh() || w.outdatedRoute(s) {
			list = append(list, s)
		}
	}
	return list
}

func unstamped(sights []*sight) []*sight {
	return slices.DeleteFunc(slices.Clone(sights), func(s *sight) bool { return s.stamped() && !s.fresh() })
}

func (a *App) confirm(ctx context.Context, w *way, ask Confirm, question string) error {
	if ask == nil {
		return nil
	}
	doc, err := a.document(ctx, w, false)
	if err != nil {
		return a.explain("", err)
	}
	return confirmed(ask(question, doc))
}

func confirmed(yes bool, err error) error {
	if err != nil {
		return err
	}
	if !yes {
		return refuse("not confirmed")
	}
	return nil
}

// perform does the steps in order, several together where that is safe. The
// rules are asked again from the ledgers as they are now, before each.
func (a *App) perform(s *session, report *wire.Report, w *way, todo []plan.StepID) error {
	for len(todo) > 0 {
		h := s.held[todo[0].Store]
		works, err := a.nextWorks(s, w, todo)
		if err != nil {
			return err
		}
		if len(works) == 0 { // the first one does not apply
			todo = todo[1:]
			continue
		}
		if err := h.runner.Follow(s.ctx, works[0]); err != nil {
			return a.explain(h.name, err)
		}
		back, err := a.raise(s, w, h, works[0])
		if err != nil {
			return err
		}
		lift, err := a.fence(s, w, h, works[0].ID)
		if err != nil {
			return errors.Join(err, back(context.WithoutCancel(s.ctx), err))
		}
		outcomes, err := h.runner.PerformAll(s.ctx, works)
		if err != nil && len(outcomes) == 0 {
			if run.LeftNothing(works[0], err) { // else it may have cut over: old writers stay out until that is known
				err = errors.Join(err, lift(context.WithoutCancel(s.ctx)))
			}
			err = errors.Join(err, back(s.ctx, err))
		}
		for i, outcome := range outcomes {
			report.Did = append(report.Did, deed(works[i].ID, wire.DeedStep, outcome))
		}
		h.books = h.runner.Books // a broken connection may have had them read again
		if err != nil {
			return a.explain(h.name, err)
		}
		todo = todo[len(works):]
	}
	return nil
}

// nextWorks makes ready the next step and those behind it on the same store that
// can go along with it; none if the next step does not apply here.
func (a *App) nextWorks(s *session, w *way, todo []plan.StepID) ([]run.Work, error) {
	ahead := todo[:min(len(todo), aheadSteps)]
	if other := slices.IndexFunc(ahead, func(id plan.StepID) bool { return id.Store != todo[0].Store }); other > 0 {
		ahead = ahead[:other]
	}
	state := a.ledgers(s.sights(w.sights))
	state.Fleet, state.Floors = w.state.Fleet, w.state.Floors
	allowed, no := plan.AllowedInOrder(w.cat, state, ahead)
	if allowed == 0 {
		return nil, refuse(no.String(), a.cmd("plan")).at(todo[0])
	}
	var works []run.Work
	for _, id := range ahead[:allowed] {
		if a.steps[id].section.When != "" && len(works) > 0 {
			break // asked when everything before it is done
		}
		if skip, err := a.skips(s.ctx, w, s.held[id.Store].sight, id); skip || err != nil {
			return nil, err
		}
		work, err := a.work(a.steps[id])
		if err != nil {
			return nil, a.explain(id.Store, err)
		}
		apart := !work.Together() || !w.cat.Implicit && s.held[id.Store].runner.Floored(work)
		if len(works) > 0 && apart {
			break
		}
		works = append(works, work)
		if apart {
			break
		}
	}
	return works, nil
}

// aheadSteps is how many steps are made ready at once.
const aheadSteps = 500

func deed(id plan.StepID, kind wire.DeedKind, outcome run.Outcome) wire.Deed {
	return wire.Deed{Kind: kind, Store: id.Store, Migration: id.Migration, Step: id.Kind.String(), Rows: outcome.Rows,
		Seconds: outcome.Took.Seconds(), Resumed: outcome.Resumed, Swept: outcome.Swept, Note: outcome.Note}
}

// ripen ends the making of stores: from now on contracts wait for cleanup.
func (s *session) ripen() error {
	for _, h := range s.held {
		if h.fresh() {
			stamp := *h.books.Stamp
			stamp.Fresh = false
			if err := h.lease.Stamp(s.ctx, stamp); err != nil {
				return s.app.explain(h.name, err)
			}
			h.books.Stamp = &stamp
		}
	}
	return nil
}
