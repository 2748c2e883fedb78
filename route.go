package stopover

import (
	"fmt"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/release"
	"github.com/stopover-dev/stopover/plan"
)

// A route is an upgrade over several stops: apply is run, the fleet is rolled,
// apply is run again. Its target is noted in the stores, so that two pipelines
// with different targets do not pull at them in turn.

// onRoute refuses another target than that of the route that is under way.
func (a *App) onRoute(w *way, retarget bool) error {
	if retarget || w.cat.Implicit || w.goal.Release == plan.NoRelease {
		return nil
	}
	to := w.index.ID(w.goal.Release)
	for _, s := range w.sights {
		if s.books == nil || s.books.Route == nil || s.books.Route.To == to {
			continue
		}
		route := s.books.Route
		f := refuse(fmt.Sprintf("a route to %s is under way, begun %s by %s", route.To, day(route.Since), route.Who),
			a.cmd("apply --to "+route.To), a.cmd("apply --to "+to+" --retarget")).in(s.name)
		f.Detail.Hint = "go on to its target, or leave it for this one with --retarget"
		return f
	}
	return nil
}

// outdatedRoute tells whether a store notes a route that this way leaves or ends.
func (w *way) outdatedRoute(s *sight) bool {
	if w.cat.Implicit || w.goal.Release == plan.NoRelease || s.books == nil || s.books.Route == nil {
		return false
	}
	return s.books.Route.To != w.index.ID(w.goal.Release) || !w.rolls()
}

// keepRoute notes the target while rollouts are left to do, and takes the note
// away when none are.
func (a *App) keepRoute(s *session, w *way) error {
	if w.cat.Implicit || w.goal.Release == plan.NoRelease {
		return nil
	}
	to := w.index.ID(w.goal.Release)
	for _, h := range s.held {
		note := h.books.Route
		switch {
		case w.rolls() && (note == nil || note.To != to):
			note = &book.Route{To: to, Who: a.operator(), Since: h.books.Clock()}
		case !w.rolls() && note != nil:
			note = nil
		default:
			continue
		}
		if err := h.lease.Write(s.ctx, book.RouteNote(note)); err != nil {
			return a.explain(h.name, err)
		}
		h.books.Route = note
	}
	return nil
}

// released refuses steps with floors to a build of the application that nobody
// released: what it needs and what it can live with, no catalogue says.
func (a *App) released(w *way, todo []plan.StepID, dev bool) error {
	if dev || w.cat.Implicit || a.cfg.Release == "" || !release.Development(a.cfg.Release) {
		return nil
	}
	floored := map[plan.StepID]bool{}
	for _, s := range w.cat.Steps {
		floored[s.ID] = s.Writers != plan.NoRelease || s.Readers != plan.NoRelease
	}
	for _, id := range todo {
		if floored[id] {
			f := refuse(fmt.Sprintf("this is a development build (%s), and the step raises floors", a.cfg.Release), a.cmd("apply --dev")).at(id)
			f.Detail.Hint = "run it with a release, or with --dev if you know that the stores are yours alone"
			return f
		}
	}
	return nil
}
