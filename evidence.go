package stopover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/release"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
)

// Nobody can prove that a process does not exist. What counts as evidence of
// what runs of a component is, in this order: its live leases; an operator's
// attestation; and, for releases that may run without a lease, the assumption
// that the oldest listed one does.

// known is what is known of a component's instances.
type known struct {
	component string
	live      []book.Instance   // with a lease that has not run out, each name once
	attested  *book.Attestation // holds now; nil: none
	from      string            // since this release instances hold leases; "": none was ever seen
	assumed   int               // a release that may run unseen; plan.NoRelease: none
}

// knownOf gathers what the books of all stores say of a component.
func (w *way) knownOf(component string) known {
	k := known{component: component, assumed: plan.NoRelease}
	for _, s := range w.sights {
		if s.books == nil {
			continue
		}
		for _, i := range s.books.Live() {
			if i.Component == component && !slices.ContainsFunc(k.live, func(o book.Instance) bool { return o.Name == i.Name && o.Release == i.Release }) {
				k.live = append(k.live, i)
			}
		}
		if a := s.books.Attested(component); a != nil && (k.attested == nil || a.Since.After(k.attested.Since)) {
			k.attested = a
		}
		if gate, found := s.books.Gates[component]; found && (k.from == "" || w.older(gate.From, k.from)) {
			k.from = gate.From
		}
	}
	slices.SortFunc(k.live, func(x, y book.Instance) int { return strings.Compare(x.Name, y.Name) })
	if k.attested == nil {
		k.assumed = w.unseen(k.from)
	}
	return k
}

func (w *way) older(x, y string) bool {
	a, known := w.index.At(x)
	b, also := w.index.At(y)
	return known && also && a < b
}

// unseen is the oldest listed release that may run without a lease, if a
// component's instances hold leases since the release from.
func (w *way) unseen(from string) int {
	oldest := max(0, slices.IndexFunc(w.cat.Releases, func(r plan.Release) bool { return !r.Unlisted }))
	if from == "" {
		return oldest
	}
	at, placed := w.index.At(from)
	if placed && at <= oldest || !placed && w.before(from) {
		return plan.NoRelease
	}
	return oldest
}

// before tells whether a release that could not be placed is one that stood in
// the list once, before the oldest that stands there now.
func (w *way) before(id string) bool {
	ids := []string{id}
	for _, r := range w.cat.Releases {
		ids = append(ids, r.ID)
	}
	_, err := release.OrderOf(ids)
	return err == nil
}

// releases gives what has to be reckoned with, ascending.
func (k known) releases(w *way) ([]int, error) {
	var list []int
	add := func(id, whose string) error {
		at, found := w.index.At(id)
		if !found {
			return refuse(fmt.Sprintf("%s runs %s, which this catalogue cannot place", whose, id))
		}
		list = append(list, at)
		return nil
	}
	for _, i := range k.live {
		if err := add(i.Release, k.component+" "+i.Name); err != nil {
			return nil, err
		}
	}
	if k.attested != nil {
		for _, id := range k.attested.Releases {
			if err := add(id, k.component); err != nil {
				return nil, err
			}
		}
	}
	if k.assumed != plan.NoRelease {
		list = append(list, k.assumed)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// assumption says in a sentence what is assumed of a component, and why; "":
// nothing is.
func (k known) assumption(w *way) string {
	if k.assumed == plan.NoRelease {
		return ""
	}
	oldest := w.index.ID(k.assumed)
	if k.from == "" {
		return fmt.Sprintf("what runs of %s is not known: it is taken to be %s, the oldest listed", k.component, oldest)
	}
	return fmt.Sprintf("instances of %s hold leases since %s; what is older may run without one: %s is taken to", k.component, k.from, oldest)
}

// statement says in a sentence what was attested; "": nothing.
func (k known) statement() string {
	if k.attested == nil {
		return ""
	}
	return attestedText(*k.attested)
}

func attestedText(a book.Attestation) string {
	subject := "client " + a.Client
	if a.Component != "" {
		subject = fmt.Sprintf("%s runs %s", a.Component, cmp.Or(strings.Join(a.Releases, ", "), "nowhere"))
	}
	return fmt.Sprintf("%s attests until %s: %s (%s)", a.Who, day(a.Until), subject, a.Reason)
}

// witnesses says where a release of a component was seen, one line each.
func (w *way) witnesses(component string, at int) []string {
	k := w.knownOf(component)
	var lines []string
	for _, i := range k.live {
		if x, found := w.index.At(i.Release); found && x == at {
			lines = append(lines, fmt.Sprintf("%s %s runs %s on %s (lease seen %s ago of %s)", component, i.Name, i.Release, i.Host,
				w.age(i).Truncate(time.Second), i.TTL))
		}
	}
	if k.attested != nil && slices.ContainsFunc(k.attested.Releases, func(id string) bool {
		x, found := w.index.At(id)
		return found && x == at
	}) {
		lines = append(lines, k.statement())
	}
	if k.assumed == at {
		lines = append(lines, k.assumption(w))
	}
	return lines
}

// age is how long ago an instance renewed its lease, on its store's clock.
func (w *way) age(i book.Instance) time.Duration {
	for _, s := range w.sights {
		if s.books == nil {
			continue
		}
		for _, x := range s.books.Instances {
			if x.Key() == i.Key() && x.Rev == i.Rev && x.Seen.Equal(i.Seen) {
				return s.books.Now.Sub(i.Seen)
			}
		}
	}
	return 0
}

// seenReleases are all that the books name, for the catalogue to place.
func (w *way) seenReleases() []string {
	var ids []string
	for _, s := range w.sights {
		if s.books == nil {
			continue
		}
		for _, i := range s.books.Live() {
			ids = append(ids, i.Release)
		}
		for _, a := range s.books.Attests {
			if a.Holds(s.books.Now) {
				ids = append(ids, a.Releases...)
			}
		}
	}
	return ids
}

// gates are the releases since which instances hold leases, but for those among
// others. A catalogue can do without them.
func (w *way) gates(others []string) []string {
	var ids []string
	for _, s := range w.sights {
		if s.books == nil {
			continue
		}
		for _, gate := range s.books.Gates {
			if !slices.Contains(others, gate.From) && !slices.Contains(ids, gate.From) {
				ids = append(ids, gate.From)
			}
		}
	}
	return ids
}

// fleet fills in what runs: what the caller vouches for, and what the books say.
// A component of stores that are in use of which neither tells is taken to run
// the oldest listed release, so that nothing is allowed that could hurt it.
func (a *App) fleet(w *way) error {
	if w.cat.Implicit {
		return nil
	}
	if err := a.namedFleet(w); err != nil {
		return err
	}
	unused := !slices.ContainsFunc(w.sights, func(s *sight) bool { return !s.untouched() })
	for _, c := range w.cat.Components {
		k := w.knownOf(c.Name)
		if _, given := w.target.Fleet[c.Name]; given || unused {
			k.assumed = plan.NoRelease
		}
		list, err := k.releases(w)
		if err != nil {
			return err
		}
		list = append(list, w.state.Fleet[c.Name]...)
		slices.Sort(list)
		if list = slices.Compact(list); len(list) > 0 {
			w.state.Fleet[c.Name] = list
		}
		if text := k.assumption(w); text != "" {
			w.notes = append(w.notes, text)
		}
	}
	return nil
}

// namedFleet takes what the target says of the fleet as given.
func (a *App) namedFleet(w *way) error {
	for name, ids := range w.target.Fleet {
		if !slices.ContainsFunc(w.cat.Components, func(c plan.Component) bool { return c.Name == name }) {
			return misuse(fmt.Sprintf("the fleet names a component %q that the catalogue does not have", name), a.cmd("lint"))
		}
		for _, id := range ids {
			at, known := w.index.At(id)
			if !known {
				return misuse(fmt.Sprintf("the fleet's release %s of %s is not known", id, name), a.cmd("lint"))
			}
			w.state.Fleet[name] = append(w.state.Fleet[name], at)
		}
	}
	return nil
}

// vouch lists the commands that say of the components of a way, whose rollout no
// lease will show, that they were rolled. Of a switch they are not: to say before
// it that only the new release runs would take the fence off the old one.
func (a *App) vouch(w *way, rolls []wire.Action) []string {
	var lines []string
	for _, roll := range rolls {
		k := w.knownOf(roll.Component)
		if roll.To == "" || roll.Kind == wire.ActSwitch || k.assumed == plan.NoRelease && k.attested == nil {
			continue
		}
		lines = append(lines, a.cmd(fmt.Sprintf("attest component %s %s --reason TEXT", roll.Component, roll.To)))
	}
	return lines
}

// peers fills in what holds a lease, for conditions of one component on others.
// A release that cannot be placed is left out: it shuts nobody out.
func (w *way) peers() {
	for _, c := range w.cat.Components {
		for _, i := range w.knownOf(c.Name).live {
			if at, found := w.index.At(i.Release); found && !w.cat.Implicit && !slices.Contains(w.state.Fleet[c.Name], at) {
				w.state.Fleet[c.Name] = append(w.state.Fleet[c.Name], at)
			}
		}
	}
}
