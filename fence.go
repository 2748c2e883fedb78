package stopover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/files"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// fenceLimit is how long a fence may take to be in force: writes that are under
// way have to end within it. Then it is lifted again.
const fenceLimit = 30 * time.Second

// old is what a cutover shuts out.
type old struct {
	fence    store.Fence
	unfenced []string // components with live older writers that nothing shuts out
}

// oldWriters says which releases a cutover shuts out, and how: of every component
// that writes the store, all listed releases below the step's floor.
func (a *App) oldWriters(w *way, id plan.StepID) old {
	floor := a.floorOf(w, id)
	p := a.store(id.Store)
	var o old
	if floor == plan.NoRelease || p == nil {
		return o
	}
	for _, c := range w.cat.Components {
		if a.role(c.Name, id.Store) != plan.ReadWrite {
			continue
		}
		rule, declared := p.decl.Fences[c.Name]
		if !declared {
			if slices.ContainsFunc(w.state.Fleet[c.Name], func(r int) bool { return r < floor }) {
				o.unfenced = append(o.unfenced, c.Name)
			}
			continue
		}
		for _, r := range w.cat.Releases[:floor] {
			if rule.Login != "" {
				o.fence.Logins = append(o.fence.Logins, rule.LoginOf(r.ID))
			} else {
				o.fence.Names = append(o.fence.Names, rule.NameOf(r.ID))
			}
		}
	}
	o.fence.Because = fmt.Sprintf("writers below %s may not write to %s any more: %s has cut over", w.cat.Releases[floor].ID, id.Store, id)
	return o
}

// floorOf is the floor of a cutover for writers.
func (a *App) floorOf(w *way, id plan.StepID) int {
	for _, s := range w.cat.Steps {
		if s.ID == id {
			return plan.WritersFloor(s)
		}
	}
	return plan.NoRelease
}

// switchable says why a switch cannot be done by apply; "": it can.
func (a *App) switchable(w *way, action plan.Action) string {
	for _, id := range append([]plan.StepID{action.Step}, action.Also...) {
		seen := findSight(w.sights, id.Store)
		if seen == nil || seen.st == nil {
			continue
		}
		if _, able := store.As[store.Fencer](seen.st); !able {
			return fmt.Sprintf("%s cannot hold its writers back: stop the old ones, then run apply again", id.Store)
		}
		if o := a.oldWriters(w, id); len(o.unfenced) > 0 {
			return fmt.Sprintf("nothing says how %s is kept from writing to %s (fence: in %s): stop its old instances, then run apply again",
				strings.Join(o.unfenced, " and "), id.Store, files.ConfigName)
		}
	}
	return ""
}

// switches lists the switches of a way, in order.
func (w *way) switches() []plan.Action {
	var all []plan.Action
	for _, leg := range w.plan.Legs {
		for _, action := range leg.Actions {
			if action.Kind == plan.DoSwitch {
				all = append(all, action)
			}
		}
	}
	return all
}

// whyNoSwitch says why the switch that the way comes to next cannot be done by
// apply; "": it can, or there is none.
func (a *App) whyNoSwitch(w *way) string {
	if all := w.switches(); len(all) > 0 {
		return a.switchable(w, all[0])
	}
	return ""
}

// fenceNotes says of each switch of a plan how old writers are kept out.
func (a *App) fenceNotes(w *way) []string {
	var notes []string
	for _, action := range w.switches() {
		if why := a.switchable(w, action); why != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", action.Step, why))
		} else if out := a.oldWriters(w, action.Step).fence.Whom(); out != "" { // on paper no store is asked
			notes = append(notes, fmt.Sprintf("%s: apply --switch shuts out %s", action.Step, out))
		}
	}
	return notes
}

// beforeCutover calls the user's hook where a cutover is about to be made that
// nothing reverses: going back to the form before it needs a restore.
func (a *App) beforeCutover(ctx context.Context, report *wire.Report, w *way, todo []plan.StepID) error {
	again := "apply" + toFlag(report.To)
	if w.cutOver {
		again += " --switch"
	}
	for _, s := range w.cat.Steps {
		if s.ID.Kind == plan.Cutover && !s.Reverse && slices.Contains(todo, s.ID) && !findSight(w.sights, s.ID.Store).untouched() {
			return a.beforeNoReturn(ctx, report, again)
		}
	}
	return nil
}

// fence shuts the older writers out before a cutover, where some are alive. lift
// takes that back where the step fails.
//
// Whoever dies behind this leaves a fence in force and a step that is begun: the
// next apply goes on with it, and fences again, which changes nothing.
func (a *App) fence(s *session, w *way, h *held, id plan.StepID) (lift func(context.Context) error, err error) {
	none := func(context.Context) error { return nil }
	if id.Kind != plan.Cutover || w.cat.Implicit || h.fresh() {
		return none, nil
	}
	o := a.oldWriters(w, id)
	if len(o.unfenced) > 0 {
		return none, refuse(fmt.Sprintf("older writers of %s may be alive, and nothing keeps them from writing to %s", strings.Join(o.unfenced, " and "), id.Store),
			a.cmd("fleet"), a.cmd("plan")).at(id)
	}
	fencer, able := store.As[store.Fencer](h.st)
	if !able || o.fence.Whom() == "" {
		return none, nil // nobody older is known to be alive, see unfenced
	}
	kept := book.Fence{Migration: id.Migration, Kind: id.Kind, Logins: o.fence.Logins, Names: o.fence.Names}
	for _, f := range h.books.Fences {
		if f.Migration == id.Migration && f.Kind == id.Kind {
			kept.Undo = f.Undo // of the run that died: what it took away is not there any more to be seen
		}
	}
	a.cfg.tell(Event{Kind: wire.EventNote, Store: id.Store, Migration: id.Migration, Step: id.Kind.String(),
		Text: "shuts older writers out: " + o.fence.Whom()})
	ctx, cancel := context.WithTimeout(s.ctx, fenceLimit)
	defer cancel()
	err = fencer.Fence(ctx, o.fence, func(undo []byte) error {
		if kept.Undo == nil {
			kept.Undo = undo
		}
		return h.lease.Write(ctx, kept.Note())
	})
	lift = func(ctx context.Context) error { return a.lift(ctx, h, kept) }
	if err != nil {
		var operator interface{ ByHand() bool }
		if !errors.As(err, &operator) || !operator.ByHand() {
			after, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), fenceLimit)
			defer cancel()
			err = errors.Join(err, lift(after))
		}
		f := a.explain(id.Store, err).at(id)
		f.Next = []string{a.cmd("fleet"), a.cmd("apply --switch")}
		return none, f
	}
	return lift, nil
}

// lift takes a fence back, and then forgets it. Whoever has lost the lease lifts
// nothing: the next holder relies on the fence.
func (a *App) lift(ctx context.Context, h *held, kept book.Fence) error {
	fencer, able := store.As[store.Fencer](h.st)
	if !able || kept.Undo == nil {
		return nil
	}
	if err := h.lease.Write(ctx, kept.Note()); err != nil {
		return err
	}
	if err := fencer.Lift(ctx, kept.Undo); err != nil {
		return fmt.Errorf("lift the fence of %s: %w", kept.Migration, err)
	}
	return h.lease.Write(ctx, kept.Gone())
}

// liftOld lifts the fence of a migration whose contract is done: what older
// writers would write is not there any more, and none of them may start.
func (a *App) liftOld(ctx context.Context, h *held, migration string) error {
	for _, f := range h.books.Fences {
		if f.Migration == migration {
			if err := a.lift(ctx, h, f); err != nil {
				return a.explain(h.name, err)
			}
		}
	}
	return nil
}
