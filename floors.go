package stopover

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// raiseTries is how often floors are proposed again when somebody took the
// proposal away because this runner's lease had run out for a moment.
const raiseTries = 5

// raise puts the floors of a step in force before its work begins. The rules
// were asked already, without changing anything; now the floors are proposed,
// the leases are read, and only if still nobody stands against the step it
// begins. An instance writes its lease before it reads the floors, so that of
// the two at least one sees the other. A refusal leaves no floor.
//
// back takes the begun step back where its work fails and leaves nothing.
func (a *App) raise(s *session, w *way, h *held, work run.Work) (back func(context.Context, error) error, err error) {
	none := func(context.Context, error) error { return nil }
	if w.cat.Implicit || h.fresh() || !h.runner.Floored(work) {
		return none, nil
	}
	for range raiseTries {
		proposal, err := h.runner.Propose(s.ctx, work)
		if err != nil {
			return none, a.explain(h.name, err)
		}
		if err := a.askAgain(s, w, h, work.ID); err != nil {
			after, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 3*time.Second)
			defer cancel()
			if left := h.lease.Withdraw(after, proposal); left != nil && !errors.Is(left, book.ErrDisplaced) {
				return none, a.explain(h.name, left)
			}
			return none, err
		}
		back, err := h.runner.Begin(s.ctx, work, proposal)
		var conflict *store.ConflictError
		if errors.As(err, &conflict) && !conflict.Guard {
			continue
		}
		if err != nil {
			return none, a.explain(h.name, err)
		}
		return back, nil
	}
	return none, refuse("its floors could not be proposed: this runner's lease keeps running out", a.cmd("status")).at(work.ID)
}

// askAgain asks R2 from the leases as they are now.
func (a *App) askAgain(s *session, w *way, h *held, id plan.StepID) error {
	books, err := book.Read(s.ctx, h.st)
	if err != nil {
		return a.explain(h.name, err)
	}
	now := *h.sight
	now.books = books
	sights := slices.Clone(s.sights(w.sights))
	for i := range sights {
		if sights[i].name == h.name {
			sights[i] = &now
		}
	}
	again := &way{target: w.target, sights: sights, shutOut: w.shutOut}
	again.seen = again.seenReleases()
	if err := a.catalogue(again); err != nil {
		return a.explain(h.name, err)
	}
	again.state = a.ledgers(sights)
	again.floors()
	if err := a.fleet(again); err != nil {
		return a.explain(h.name, err)
	}
	again.copySkips(w)
	if no := plan.Allowed(again.cat, a.withoutBanned(again, id), id); len(no) > 0 {
		f := refuse(no.String(), a.cmd("fleet"), a.cmd("plan")).at(id)
		f.Detail.Evidence = again.against(no)
		return f
	}
	if id.Kind != plan.Contract {
		return nil
	}
	strangers, err := a.strangersOf(s.ctx, again, id.Store, a.banOf(again, id))
	if unlisted(err) {
		a.cfg.tell(Event{Kind: wire.EventWarning, Store: id.Store, Migration: id.Migration, Step: id.Kind.String(),
			Text: "clients without a lease are not seen: " + a.explain(id.Store, err).Detail.Message})
		return nil
	}
	if err != nil || len(strangers) == 0 {
		return err
	}
	f := refuse("there are clients that hold no lease", a.cmd("fleet")).at(id)
	f.Detail.Evidence = strangers
	return f
}

// copySkips takes over which steps do not apply here.
func (w *way) copySkips(from *way) {
	skip := map[plan.StepID]string{}
	for _, s := range from.cat.Steps {
		skip[s.ID] = s.Skip
	}
	for i := range w.cat.Steps {
		w.cat.Steps[i].Skip = skip[w.cat.Steps[i].ID]
	}
}

// proposed counts the steps that runners are about to begin as begun: whoever
// wants to start has to meet their floors already.
func (a *App) proposed(w *way) {
	for _, s := range w.sights {
		if s.books == nil || w.cat.Implicit {
			continue
		}
		counts, _ := s.books.Proposed()
		if counts == nil {
			continue
		}
		id := counts.Line().ID(s.name)
		if a.steps[id] != nil {
			w.state.Begun[id] = !w.state.Done[id]
			continue
		}
		for role, text := range map[plan.Role]string{plan.ReadWrite: counts.Writers, plan.ReadOnly: counts.Readers} {
			if at, known := w.index.At(text); text != "" && known {
				w.state.Floors = append(w.state.Floors, plan.Floor{Store: s.name, Role: role, Release: at, Because: id.String()})
			}
		}
	}
	w.sortFloors()
}
