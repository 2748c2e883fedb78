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
)

// Fleet says who is alive, at which release, and on what evidence. It changes
// nothing. Of a store that cannot be reached it says so, and fails after all the
// others were asked.
func (a *App) Fleet(ctx context.Context) (*wire.Fleet, error) {
	doc := &wire.Fleet{Head: wire.NewHead("fleet"), Application: a.project.Application,
		Components: []wire.FleetComponent{}, Stores: []wire.FleetStore{}}
	sights := a.look(ctx)
	down := a.firstUnseen(sights) // what the others tell is still shown
	w := &way{sights: sights}
	w.seen = w.seenReleases()
	if err := a.catalogue(w); err != nil {
		return doc, a.explain("", err)
	}
	for _, c := range w.cat.Components {
		shown, err := a.shownComponent(w, c.Name)
		if err != nil {
			return doc, a.explain("", err)
		}
		doc.Components = append(doc.Components, shown)
		if shown.Assumed != "" && len(doc.Next) == 0 {
			doc.Next = append(doc.Next, a.cmd("attest component "+c.Name+" RELEASE --reason TEXT"))
		}
	}
	for _, s := range sights {
		if s.err != nil {
			doc.Stores = append(doc.Stores, wire.FleetStore{Name: s.name, Unknown: []wire.Client{}, Clients: []wire.Attestation{}, Problem: a.unseen(s).Detail.Message})
			continue
		}
		doc.Stores = append(doc.Stores, a.shownClients(ctx, s))
	}
	return doc, down
}

func (a *App) shownComponent(w *way, name string) (wire.FleetComponent, error) {
	k := w.knownOf(name)
	shown := wire.FleetComponent{Name: name, Releases: []string{}, Since: k.from, Instances: w.instances(name)}
	if w.cat.Implicit {
		k.assumed = plan.NoRelease
	}
	releases, err := k.releases(w)
	if err != nil {
		return shown, err
	}
	for _, at := range releases {
		shown.Releases = append(shown.Releases, w.index.ID(at))
	}
	if k.assumed != plan.NoRelease {
		shown.Assumed, shown.Because = w.index.ID(k.assumed), k.assumption(w)
		if a.attestedOnly(name) {
			shown.Because += "; it only reads, and without a lease_url a login that may not write holds no lease: it counts by attestation only"
		}
	}
	if k.attested != nil {
		attested := shownAttestation(*k.attested, true)
		shown.Attestation = &attested
	}
	return shown, nil
}

// attestedOnly tells whether a component may be one that can hold no lease: it only
// reads, and none of its stores has a login for leases.
func (a *App) attestedOnly(component string) bool {
	reads := false
	for _, p := range a.stores {
		switch a.role(component, p.name) {
		case plan.ReadWrite:
			return false
		case plan.ReadOnly:
			if reads = true; p.decl.LeaseURL != "" {
				return false
			}
		}
	}
	return reads
}

// instances lists the leases of a component, each name once, also those that
// have run out.
func (w *way) instances(component string) []wire.Instance {
	list := []wire.Instance{}
	for _, s := range w.sights {
		if s.books == nil {
			continue
		}
		for _, i := range s.books.Instances {
			if i.Component != component {
				continue
			}
			shown := wire.Instance{Name: i.Name, Release: i.Release, Host: i.Host, PID: i.PID, Since: i.Since,
				Seen: s.books.Now.Sub(i.Seen).Seconds(), TTL: i.TTL.Seconds(), Live: i.Left(s.books.Now) > 0, Stores: []string{s.name}}
			at := slices.IndexFunc(list, func(o wire.Instance) bool { return o.Name == i.Name && o.Release == i.Release })
			if at < 0 {
				list = append(list, shown)
				continue
			}
			list[at].Stores = append(list[at].Stores, s.name)
			list[at].Live = list[at].Live || shown.Live
			list[at].Seen = min(list[at].Seen, shown.Seen)
		}
	}
	slices.SortFunc(list, func(x, y wire.Instance) int { return strings.Compare(x.Name, y.Name) })
	return list
}

func shownAttestation(a book.Attestation, holds bool) wire.Attestation {
	return wire.Attestation{Component: a.Component, Client: a.Client, Releases: a.Releases, Who: a.Who, Reason: a.Reason,
		Since: a.Since, Until: a.Until, Holds: holds}
}

// Statement is what an operator vouches for where no evidence can exist: that no
// other releases of a component run than those named, or that a client of a store
// may be left out of account. One of Component and Client is given.
type Statement struct {
	Component string
	Releases  []string // of the component; "none" alone: it does not run
	Client    string   // name of its sessions, its user or its address, as Fleet shows them
	Reason    string
	For       time.Duration // how long it counts; 0: 24 hours
}

// Attest records a statement, with who made it, in the stores that it is about.
// It takes the place of an earlier one on the same component or client. A live
// lease is never overruled by one.
func (a *App) Attest(ctx context.Context, s Statement) (*wire.Attest, error) {
	doc := &wire.Attest{Head: wire.NewHead("attest client"), Stores: []string{}}
	if s.Component != "" {
		doc.Command = "attest component"
	}
	if s.For == 0 {
		s.For = 24 * time.Hour
	}
	if strings.TrimSpace(s.Reason) == "" || s.For < 0 {
		return doc, misuse("an attestation needs a reason, and a time that it counts for", a.cmd("fleet"))
	}
	sights := a.look(ctx)
	if err := a.firstUnseen(sights); err != nil {
		return doc, err
	}
	if err := a.mayAttest(sights, &s); err != nil {
		return doc, err
	}
	for _, seen := range sights {
		if !seen.stamped() || s.Component != "" && !a.uses(s.Component, seen.name) {
			continue
		}
		now := seen.books.Clock()
		statement := book.Attestation{Component: s.Component, Client: s.Client, Releases: s.Releases, Who: a.operator(),
			Reason: strings.TrimSpace(s.Reason), Since: now, Until: now.Add(s.For)}
		if _, err := seen.st.Swap(ctx, nil, statement.Note()); err != nil {
			return doc, a.explain(seen.name, fmt.Errorf("record the statement: %w", err))
		}
		doc.Attestation = shownAttestation(statement, true)
		doc.Stores = append(doc.Stores, seen.name)
	}
	if len(doc.Stores) == 0 {
		return doc, refuse("no store that it is about has books: nothing was applied to any yet", a.cmd("status"), a.cmd("apply"))
	}
	doc.Next = append(doc.Next, a.cmd("fleet"), a.cmd("plan"))
	return doc, nil
}

// mayAttest refuses statements on what the catalogue does not have.
func (a *App) mayAttest(sights []*sight, s *Statement) error {
	if s.Component == "" {
		if s.Client == "" || len(s.Releases) > 0 {
			return misuse("an attestation is about a component and its releases, or about a client", a.cmd("fleet"))
		}
		return nil
	}
	if len(s.Releases) == 1 && s.Releases[0] == "none" {
		s.Releases = nil
	} else if len(s.Releases) == 0 {
		return misuse("say which releases run, or none", a.cmd("attest component "+s.Component+" none --reason TEXT"))
	}
	w := &way{sights: sights, seen: s.Releases}
	if err := a.catalogue(w); err != nil {
		f := a.explain("", err)
		f.Next = []string{a.cmd("fleet")}
		return f
	}
	if w.cat.Implicit && len(s.Releases) > 0 {
		return misuse("stopover.yaml lists no releases: there is nothing that a release could be held against", a.cmd("fleet"))
	}
	if !slices.ContainsFunc(w.cat.Components, func(c plan.Component) bool { return c.Name == s.Component }) {
		return misuse(fmt.Sprintf("there is no component %q", s.Component), a.cmd("fleet"))
	}
	return nil
}

// uses tells whether a component reads or writes a store.
func (a *App) uses(component, storeName string) bool {
	return a.role(component, storeName) != plan.Unused
}

// role is how a component uses a store. Without declared components there is one
// that writes all.
func (a *App) role(component, storeName string) plan.Role {
	if len(a.project.Components) == 0 {
		return plan.ReadWrite
	}
	for _, c := range a.project.Components {
		if c.Name == component {
			return c.Uses[storeName]
		}
	}
	return plan.Unused
}
