package files

import (
	"sort"

	"github.com/stopover-dev/stopover/internal/release"
	"github.com/stopover-dev/stopover/plan"
)

// named is a release that a directive or a condition names as a lower bound.
type named struct {
	text  string
	what  string // "writers"
	place Place
	peer  bool // of a release on another: it has to be there
}

// named lists the lower bounds that the files name.
func (b *builder) named() []named {
	var list []named
	for i := range b.p.Releases {
		for _, peer := range b.p.Releases[i].Peers {
			list = append(list, named{text: peer.AtLeast, what: "peers: " + peer.Component, place: peer.Place, peer: true})
		}
	}
	for i := range b.p.Migrations {
		m := &b.p.Migrations[i]
		for j := range m.Sections {
			s := &m.Sections[j]
			place := Place{File: m.File, Line: s.Directive}
			for _, n := range []named{{s.Writers, keyWriters, place, false}, {s.Readers, keyReaders, place, false}, {s.Needs, keyNeeds, place, false}} {
				if n.text != "" {
					list = append(list, n)
				}
			}
		}
	}
	return list
}

// insertNamed makes sure that a lower bound is exact among the releases: where
// it falls between two of them it becomes one, so that an unlisted release
// that is alive stands on the right side of it. A version that is neither
// listed nor of a listed range is taken for a slip of the pen, unless it is
// newer than all.
func (b *builder) insertNamed(set *releaseSet, n named) {
	if set.known[n.text] {
		return
	}
	id, err := b.index.scheme.Parse(n.text)
	if err != nil {
		b.problem(n.place, "", "%s: %s", n.what, err)
		return
	}
	where := placeOf(set.listed, id)
	switch {
	case where == exact, set.same(id):
	case where == between && b.index.scheme.Scheme() == release.Version, where == above && n.peer:
		b.problem(n.place, "add it to releases, or name one that is listed", "%s: %s is no listed release%s", n.what, excerpt(n.text), b.index.around(n.text))
	default: // plan.Check notes what is newer than all
		set.add(id)
	}
}

// position says where a bound stands among the listed releases.
type position uint8

const (
	exact   position = iota // the listed ones tell it apart already
	inRange                 // within one that stands for a range, or a pre-release of one
	between                 // between two of them
	above                   // newer than all
)

func placeOf(listed []listing, id release.ID) position {
	first := sort.Search(len(listed), func(i int) bool { return release.Meets(listed[i].id, id) })
	if first < len(listed) && (release.Compare(listed[first].id, id) == 0 || release.Covers(id, listed[first].id)) {
		return exact
	}
	for _, l := range listed {
		if release.Covers(l.id, id) || release.Compare(id, l.id) < 0 && release.Meets(id, l.id) {
			return inRange
		}
	}
	switch first {
	case 0:
		return exact // older than all, which therefore meet it
	case len(listed):
		return above
	}
	return between
}

// bound gives the index of the first release that meets a lower bound;
// NoRelease: none is given, or it was complained of.
func (b *builder) bound(text string) int {
	if text == "" {
		return plan.NoRelease
	}
	if b.cat.Implicit {
		return 0
	}
	id, err := b.index.scheme.Parse(text)
	if err != nil {
		return plan.NoRelease
	}
	at := b.index.first(id)
	if at == len(b.index.ids) {
		return plan.NoRelease
	}
	return at
}
