package stopover

import (
	"context"
	"fmt"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// CheckOptions say who wants to start.
type CheckOptions struct {
	Component string // "": any component
	Release   string // "": Config.Release, or the newest listed
}

// Check asks the gate: may this release run on these stores now? It takes one
// trip a store and changes nothing. The document's Exit is 0 (ready), 3
// (pending) or 6 (too new).
func (a *App) Check(ctx context.Context, ask CheckOptions) (*wire.Check, error) {
	doc := &wire.Check{Head: wire.NewHead("check"), Component: ask.Component, Stores: []wire.StoreCheck{}}
	sights := a.lookAs(ctx, ask.Component)
	if err := a.firstUnseen(sights); err != nil {
		return doc, err
	}
	return a.asked(ctx, sights, ask)
}

// asked is Check on stores that were looked at.
func (a *App) asked(ctx context.Context, sights []*sight, ask CheckOptions) (*wire.Check, error) {
	doc := &wire.Check{Head: wire.NewHead("check"), Component: ask.Component, Stores: []wire.StoreCheck{}}
	if ask.Release == "" && len(a.project.Releases) > 0 { // else it is for the ledger only
		ask.Release = a.cfg.Release
	}
	w := &way{sights: sights, target: Target{To: ask.Release}}
	if err := a.catalogue(w); err != nil {
		return doc, a.explain("", err)
	}
	w.state = a.ledgers(sights)
	w.floors()
	a.proposed(w)
	w.peers()
	if err := a.aim(w); err != nil {
		return doc, a.explain("", err)
	}
	if err := a.predicates(ctx, w); err != nil {
		return doc, a.explain("", err)
	}
	doc.Release = w.index.ID(w.goal.Release)
	return doc, a.gate(w, doc)
}

// gate asks R1 for every component that was meant, and sorts the answers by
// store.
func (a *App) gate(w *way, doc *wire.Check) error {
	shown := map[string]*wire.StoreCheck{}
	for _, s := range w.sights {
		position, _ := plan.Position(w.cat, w.state, s.name)
		shown[s.name] = &wire.StoreCheck{Name: s.name, State: wire.Ready, Position: position, Pending: []string{}, Floors: []wire.Floor{}}
		if w.cat.Implicit {
			a.unknownContracts(s, shown[s.name])
		}
	}
	asked := false
	for _, c := range w.cat.Components {
		if doc.Component != "" && c.Name != doc.Component {
			continue
		}
		asked = true
		for _, reason := range plan.Ready(w.cat, w.state, c.Name, w.goal.Release) {
			a.sortReason(w, doc, shown, reason)
		}
	}
	if !asked {
		return misuse(fmt.Sprintf("there is no component %q", doc.Component), a.cmd("lint"))
	}
	doc.State = worse(wire.Ready, doc.State) // not earlier: an error has no answer
	for _, s := range w.sights {
		doc.Stores = append(doc.Stores, *shown[s.name])
		doc.State = worse(doc.State, shown[s.name].State)
	}
	a.closeGate(doc)
	return nil
}

// sortReason tells a step that is still to come from a floor that is above the
// release.
func (a *App) sortReason(w *way, doc *wire.Check, shown map[string]*wire.StoreCheck, reason plan.Reason) {
	s := shown[reason.Step.Store]
	if s == nil {
		doc.State = worse(doc.State, wire.Pending) // a peer that is not there yet
		doc.Warnings = append(doc.Warnings, reason.Because)
		return
	}
	if s.Because == "" {
		s.Because = reason.Because
	}
	if reason.Shut || a.steps[reason.Step] == nil {
		s.State = worse(s.State, wire.TooNew)
		s.Floors = append(s.Floors, wire.Floor{Release: w.index.ID(reason.Floor), Because: reason.Step.Ref()})
		return
	}
	s.State = worse(s.State, wire.Pending)
	for _, known := range s.Pending {
		if known == reason.Step.Ref() {
			return
		}
	}
	s.Pending = append(s.Pending, reason.Step.Ref())
}

// unknownContracts shuts the gate where no releases are declared and something
// was taken away by a contract that this program does not know.
func (a *App) unknownContracts(s *sight, shown *wire.StoreCheck) {
	for _, line := range s.strangers() {
		if line.Kind == plan.Contract {
			shown.State = wire.TooNew
			shown.Because = fmt.Sprintf("%s has been run, and this program does not know it", line.ID(s.name))
		}
	}
}

func worse(x, y wire.CheckState) wire.CheckState {
	rank := map[wire.CheckState]int{wire.Ready: 0, wire.Pending: 1, wire.TooNew: 2}
	if rank[y] > rank[x] {
		return y
	}
	return x
}

func (a *App) closeGate(doc *wire.Check) {
	switch doc.State {
	case wire.Pending:
		doc.Exit = ExitRefused
		doc.Next = append(doc.Next, a.cmd("plan"), a.cmd("apply"))
	case wire.TooNew:
		doc.Exit = ExitNewer
		doc.Next = append(doc.Next, a.cmd("status"))
	}
}

// Unlock shows who holds the stores, and clears the leases of those that are
// dead. A live lease is never cleared: it is waited for, or its holder ended.
func (a *App) Unlock(ctx context.Context, ask Confirm) (*wire.Unlock, error) {
	doc := &wire.Unlock{Head: wire.NewHead("unlock"), Stores: []wire.StoreUnlock{}}
	sights := a.look(ctx)
	if err := a.firstUnseen(sights); err != nil {
		return doc, err
	}
	dead := 0
	for _, s := range sights {
		shown := wire.StoreUnlock{Name: s.name, Lease: leaseOf(s.books)}
		switch {
		case shown.Lease == nil:
			shown.Because = "free"
		case shown.Lease.Live:
			shown.Because = "the lease is alive: its holder has renewed it, or died less than its time to live ago"
			doc.Exit = ExitRefused
			doc.Next = []string{a.cmd("status")}
		default:
			shown.Because = "its holder has not renewed it"
			dead++
		}
		doc.Stores = append(doc.Stores, shown)
	}
	if dead == 0 {
		return doc, nil
	}
	if ask != nil {
		if err := confirmed(ask(fmt.Sprintf("Clear %s of runners that are dead?", plural(int64(dead), "lease")), nil)); err != nil {
			return doc, err
		}
	}
	return doc, a.clearDead(ctx, doc, sights)
}

func (a *App) clearDead(ctx context.Context, doc *wire.Unlock, sights []*sight) error {
	for i, s := range sights {
		shown := &doc.Stores[i]
		if shown.Lease == nil || shown.Lease.Live {
			continue
		}
		cleared, _, err := book.Clear(ctx, s.st)
		if err != nil {
			return a.explain(s.name, err)
		}
		shown.Cleared = cleared
	}
	return nil
}
