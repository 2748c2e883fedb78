package stopover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// A release that does not know Stopover holds no lease, so nobody can see that it has
// ended. Where each release has a login of its own, the store can see to it that it
// has: the logins of the releases that a contract would hurt are shut out of the
// store, and stay so. It takes the place of an attestation, never that of a lease.

// banLimit is how long the sessions of logins may take to end.
const banLimit = 30 * time.Second

// banOf lists the logins of the releases below a contract's floors, of every
// component that uses its store and has a login per release there.
func (a *App) banOf(w *way, id plan.StepID) []string {
	p := a.store(id.Store)
	if !w.shutOut || p == nil || id.Kind != plan.Contract {
		return nil
	}
	if _, able := store.As[store.Banner](findSight(w.sights, id.Store).st); !able {
		return nil
	}
	floor := plan.NoRelease
	for _, s := range w.cat.Steps {
		if s.ID == id {
			floor = max(s.Writers, s.Readers)
		}
	}
	var logins []string
	for _, c := range w.cat.Components {
		rule := p.decl.Fences[c.Name]
		if rule.Login == "" || !a.uses(c.Name, id.Store) || floor <= 0 {
			continue
		}
		for _, r := range w.cat.Releases[:floor] {
			logins = append(logins, rule.LoginOf(r.ID))
		}
	}
	slices.Sort(logins)
	return slices.Compact(logins)
}

// bans lists the logins that some contracts shut out.
func (a *App) bans(w *way, ids []plan.StepID) []string {
	var logins []string
	for _, id := range ids {
		logins = append(logins, a.banOf(w, id)...)
	}
	slices.Sort(logins)
	return slices.Compact(logins)
}

// shutOutWouldDo tells whether a contract that is refused could run if older logins
// were shut out of its store.
func (a *App) shutOutWouldDo(w *way) bool {
	if w.shutOut || w.cat.Implicit {
		return false
	}
	then := *w
	then.shutOut = true
	return slices.ContainsFunc(w.cat.Steps, func(s plan.Step) bool {
		if s.ID.Kind != plan.Contract || w.state.Done[s.ID] || s.Skip != "" || len(a.banOf(&then, s.ID)) == 0 {
			return false
		}
		because, _ := a.notYet(&then, s.ID)
		return because == ""
	})
}

// withoutBanned is what is known of the stores and of the fleet once the logins of
// banOf are shut out: nothing has to be assumed of their components any more.
func (a *App) withoutBanned(w *way, id plan.StepID) plan.State {
	if len(a.banOf(w, id)) == 0 {
		return w.state
	}
	state := w.state
	state.Fleet = maps.Clone(w.state.Fleet)
	for _, c := range w.cat.Components {
		if a.store(id.Store).decl.Fences[c.Name].Login == "" {
			continue
		}
		k := w.knownOf(c.Name)
		if k.assumed == plan.NoRelease {
			continue
		}
		assumed := k.assumed
		k.assumed = plan.NoRelease
		list, err := k.releases(w)
		if err == nil && !slices.Contains(list, assumed) {
			state.Fleet[c.Name] = slices.DeleteFunc(slices.Clone(state.Fleet[c.Name]), func(r int) bool { return r == assumed })
		}
	}
	return state
}

// ban shuts out the logins of a contract before it begins. Whoever dies in here
// leaves some of them shut out, and a contract that has not begun.
func (a *App) ban(s *session, w *way, h *held, id plan.StepID) error {
	logins := a.banOf(w, id)
	if len(logins) == 0 {
		return nil
	}
	a.cfg.tell(Event{Kind: wire.EventNote, Store: id.Store, Migration: id.Migration, Step: id.Kind.String(),
		Text: "shuts older releases out: " + strings.Join(logins, ", ")})
	var notes []store.Note
	for _, login := range logins {
		notes = append(notes, book.Banned{Login: login, Migration: id.Migration}.Note())
	}
	if err := h.lease.Write(s.ctx, notes...); err != nil {
		return a.explain(h.name, err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, banLimit)
	defer cancel()
	banner, _ := store.As[store.Banner](h.st)
	if err := banner.Ban(ctx, logins); err != nil {
		f := a.explain(id.Store, fmt.Errorf("shut older releases out: %w", err)).at(id)
		f.Next = []string{a.cmd("fleet"), a.cmd("cleanup --shut-out")}
		return f
	}
	return nil
}

// banned tells whether a session is one that a contract will end.
func banned(session store.Session, logins []string) bool {
	return slices.Contains(logins, session.User)
}
