package files

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/stopover-dev/stopover/internal/release"
	"github.com/stopover-dev/stopover/plan"
)

// releases fills in the releases: listed ones, those that only directives
// name, and extra ones.
func (b *builder) releases(extra []string) {
	if len(b.p.Releases) == 0 {
		b.cat.Implicit = true
		b.cat.Releases = []plan.Release{{ID: "head", Base: plan.NoRelease}}
		b.index.implicit = true
		return
	}
	listed := b.listed()
	if len(listed) == 0 {
		return
	}
	set := releaseSet{listed: listed, all: slices.Clone(listed), known: map[string]bool{}}
	for _, l := range listed {
		set.known[l.id.String()] = true
	}
	for _, text := range extra {
		b.extra(&set, text)
	}
	for _, named := range b.named() {
		b.insertNamed(&set, named)
	}
	set.sort()
	b.index.fill(set.all)
	for _, l := range set.all {
		b.cat.Releases = append(b.cat.Releases, b.planned(&set, l))
	}
}

// listing is a release in the catalogue's order; from is nil for one that is
// not listed.
type listing struct {
	id   release.ID
	from *Release
}

// releaseSet is the releases while they are put together.
type releaseSet struct {
	listed []listing // ascending
	all    []listing
	known  map[string]bool
}

func (s *releaseSet) sort() { slices.SortStableFunc(s.all, compareListings) }

func (s *releaseSet) add(id release.ID) {
	s.known[id.String()] = true
	s.all = append(s.all, listing{id: id})
}

// same reports that a listed release is written in another way (v1.5.3), or
// that an id stands for releases of which some are listed.
func (s *releaseSet) same(id release.ID) bool {
	return slices.ContainsFunc(s.all, func(l listing) bool { return release.Covers(id, l.id) && !l.id.Short() })
}

// parent finds the listed release whose code an unlisted one has: the newest
// that it meets, on a side line only if it is of the same branch.
func (s *releaseSet) parent(id release.ID) (listing, bool) {
	for i := len(s.listed) - 1; i >= 0; i-- {
		l := s.listed[i]
		if release.Meets(id, l.id) && (l.from.Line == "" || release.Related(id, l.id)) {
			return l, true
		}
	}
	return listing{}, false
}

// compareListings orders releases; a range stands before its first release.
func compareListings(a, b listing) int {
	if c := release.Compare(a.id, b.id); c != 0 {
		return c
	}
	return cmp.Compare(shortFirst(a.id), shortFirst(b.id))
}

func shortFirst(id release.ID) int {
	if id.Short() {
		return 0
	}
	return 1
}

// listed reads the ids of the list and sorts it.
func (b *builder) listed() []listing {
	ids := make([]string, len(b.p.Releases))
	for i, r := range b.p.Releases {
		ids[i] = r.ID
	}
	order, err := release.OrderOf(ids)
	if err != nil {
		b.problem(b.faulty(err), "", "%s", err)
		return nil
	}
	b.index.scheme = order
	list := make([]listing, 0, len(ids))
	for i := range b.p.Releases {
		r := &b.p.Releases[i]
		id, err := order.Parse(r.ID)
		if err != nil {
			b.problem(r.Place, "", "%s", err)
			continue
		}
		list = append(list, listing{id: id, from: r})
	}
	slices.SortStableFunc(list, compareListings)
	for i := 1; i < len(list); i++ {
		if release.Compare(list[i-1].id, list[i].id) == 0 {
			b.problem(list[i].from.Place, "", "%s and %s are the same release", list[i-1].id, list[i].id)
		}
	}
	b.index.listed = list
	return list
}

// faulty gives the place of the id that an error of OrderOf is about.
func (b *builder) faulty(err error) Place {
	var text string
	switch e := err.(type) {
	case *release.ParseError:
		text = e.Text
	case *release.MixError:
		text = e.Other
	}
	for _, r := range b.p.Releases {
		if r.ID == text {
			return r.Place
		}
	}
	return Place{File: b.p.File}
}

// extra puts in an id that was met outside the files.
func (b *builder) extra(set *releaseSet, text string) {
	if set.known[text] {
		return
	}
	id, err := b.index.scheme.Parse(text)
	if err != nil {
		b.problems = append(b.problems, Problem{Message: err.Error(), Extra: text})
		return
	}
	if set.same(id) {
		return
	}
	if oldest := set.listed[0].id; !release.Meets(id, oldest) {
		b.problems = append(b.problems, Problem{
			Message: fmt.Sprintf("release %s is older than %s, the oldest in %s", text, oldest, b.p.File),
			Next:    "add it to releases, or end what still runs it",
			Extra:   text,
		})
		return
	}
	set.add(id)
}

// planned gives a release as the planner has it.
func (b *builder) planned(set *releaseSet, l listing) plan.Release {
	r := plan.Release{ID: l.id.String(), Base: plan.NoRelease}
	from := l.from
	if from == nil {
		r.Unlisted = true
		parent, found := set.parent(l.id)
		if !found {
			return r
		}
		from = parent.from
		r.Withdrawn = from.Withdrawn && release.Covers(parent.id, l.id)
	} else {
		r.Withdrawn = from.Withdrawn
		r.Contains = b.contains(from)
	}
	r.Line = from.Line
	if from.Line != "" {
		r.Base = b.base(set, from)
	} else if from.Base != "" && l.from != nil {
		b.problem(from.Place, "name its branch too: line", "release %s has a base, but is on the main line", r.ID)
	}
	for _, peer := range from.Peers {
		if at := b.bound(peer.AtLeast); at != plan.NoRelease {
			r.Peers = append(r.Peers, plan.Peer{Component: peer.Component, AtLeast: at})
		}
	}
	return r
}

// contains looks up what a release has besides what its line gives it.
func (b *builder) contains(from *Release) []int {
	var list []int
	for _, text := range from.Contains {
		at, found := b.index.At(text)
		if !found {
			b.problem(from.Place, "", "release %s contains %s, which is not listed%s", from.ID, excerpt(text), b.index.around(text))
			continue
		}
		list = append(list, at)
	}
	return list
}

// base gives the main-line release at which a side branch was cut.
func (b *builder) base(set *releaseSet, from *Release) int {
	if from.Base != "" {
		at, found := b.index.At(from.Base)
		if !found {
			b.problem(from.Place, "", "the base %s of release %s is not listed%s", excerpt(from.Base), from.ID, b.index.around(from.Base))
			return plan.NoRelease
		}
		if l := set.all[at]; l.from != nil && l.from.Line != "" {
			b.problem(from.Place, "", "the base %s of release %s is on the side line %s", from.Base, from.ID, l.from.Line)
		}
		return at
	}
	id, err := b.index.scheme.Parse(from.ID)
	if err != nil {
		return plan.NoRelease
	}
	for i := len(set.all) - 1; i >= 0; i-- {
		l := set.all[i]
		if l.from != nil && l.from.Line == "" && release.Compare(l.id, id) < 0 {
			return i
		}
	}
	return plan.NoRelease
}
