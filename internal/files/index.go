package files

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/stopover-dev/stopover/internal/release"
	"github.com/stopover-dev/stopover/internal/spelling"
	"github.com/stopover-dev/stopover/plan"
)

// Index leads from what people write to what a catalogue holds, and back. It
// belongs to the catalogue that it was made with.
type Index struct {
	project  *Project
	implicit bool
	scheme   release.Order
	listed   []listing
	ids      []release.ID // by index in Catalogue.Releases
	texts    map[string]int
	stores   map[string][]*Migration // in order
	strays   []*Migration            // of stores that do not exist
}

// order sorts the migrations by store and name.
func (x *Index) order(p *Project) {
	x.stores = make(map[string][]*Migration, len(p.Stores))
	for i := range p.Migrations {
		m := &p.Migrations[i]
		if _, found := p.Store(m.Store); !found {
			x.strays = append(x.strays, m)
			continue
		}
		x.stores[m.Store] = append(x.stores[m.Store], m)
	}
	for _, list := range x.stores {
		slices.SortStableFunc(list, func(a, b *Migration) int { return CompareNames(a.Name, b.Name) })
	}
}

func (x *Index) fill(all []listing) {
	x.texts = make(map[string]int, len(all))
	x.ids = make([]release.ID, len(all))
	for i, l := range all {
		x.ids[i] = l.id
		x.texts[l.id.String()] = i
	}
}

// At gives the index of a release by its id, also where it is written in
// another way: v1.5.3 for 1.5.3, or 1.5 where only releases like 1.5.3 are
// listed, which stands for the oldest of them, a pre-release last. Without declared releases every
// id is the implicit one. An id that is not known was neither listed nor given
// to Catalogue, or could not be placed there.
func (x *Index) At(id string) (int, bool) {
	if x.implicit {
		return 0, true
	}
	if at, found := x.texts[id]; found {
		return at, true
	}
	parsed, err := x.scheme.Parse(id)
	if err != nil {
		return plan.NoRelease, false
	}
	found := plan.NoRelease
	for at := x.first(parsed); at < len(x.ids); at++ {
		other := x.ids[at]
		if !release.Covers(parsed, other) && release.Compare(other, parsed) > 0 {
			break
		}
		if other.Short() || !release.Covers(parsed, other) {
			continue
		}
		if !other.PreRelease() {
			return at, true
		}
		if found == plan.NoRelease {
			found = at
		}
	}
	return found, found != plan.NoRelease
}

// first gives the index of the first release that meets a lower bound; the
// number of releases if none does.
func (x *Index) first(id release.ID) int {
	return sort.Search(len(x.ids), func(i int) bool { return release.Meets(x.ids[i], id) })
}

// ID gives the id of the release with an index; "" for plan.NoRelease.
func (x *Index) ID(at int) string {
	switch {
	case at < 0:
		return ""
	case x.implicit:
		return "head"
	}
	return x.ids[at].String()
}

// Any says in words which releases an id stands for: "any 1.5.x"; "" where it
// stands for itself.
func (x *Index) Any(at int) string {
	if x.implicit || at < 0 || !x.ids[at].Short() {
		return ""
	}
	return "any " + x.ids[at].String() + ".x"
}

// Range gives the releases from one to another as people write them: "1.5",
// "1.5 to 1.7".
func (x *Index) Range(from, to int) string {
	if from == to {
		return x.ID(from)
	}
	return x.ID(from) + " to " + x.ID(to)
}

// Newest gives the newest listed releases in order, at most n, for messages.
func (x *Index) Newest(n int) []string {
	var list []string
	for _, l := range x.listed[max(0, len(x.listed)-n):] {
		list = append(list, l.id.String())
	}
	return list
}

// Migrations gives the migrations of a store in their order.
func (x *Index) Migrations(store string) []*Migration { return x.stores[store] }

// Section finds the migration and the section of a step; nil: no file has it.
func (x *Index) Section(id plan.StepID) (*Migration, *Section) {
	for _, m := range x.byNumber(id.Store, id.Migration) {
		if m.Name == id.Migration {
			return m, m.Section(id.Kind, false)
		}
	}
	return nil, nil
}

// Place gives where a step is declared.
func (x *Index) Place(id plan.StepID) Place {
	m, s := x.Section(id)
	switch {
	case m == nil:
		return Place{}
	case s == nil:
		return Place{File: m.File}
	}
	return Place{File: m.File, Line: s.Directive}
}

// Step reads STORE:MIGRATION or STORE:MIGRATION.STEP as a person types it: the
// number of a migration is enough where it is the only one with it. Without a
// step the kind is 0. The error is a *Problems.
func (x *Index) Step(ref string) (plan.StepID, error) {
	if !strings.Contains(ref, ":") {
		return plan.StepID{}, one(Problem{Message: quote(ref) + " is not STORE:MIGRATION or STORE:MIGRATION.STEP"})
	}
	store, name, _ := strings.Cut(ref, ":")
	if bare, _, has := strings.Cut(name, "."); !has {
		if _, found := x.project.Store(store); !found {
			return plan.StepID{}, one(Problem{Message: "no store " + quote(store) + spelling.Meant(store, x.storeNames())})
		}
		m, fault := x.migration(store, bare)
		if fault != "" {
			return plan.StepID{}, one(Problem{Message: fault})
		}
		return plan.StepID{Store: store, Migration: m.Name}, nil
	}
	ids, fault := x.steps("", ref)
	if fault != "" {
		return plan.StepID{}, one(Problem{Message: fault, Next: "see `stopover list`"})
	}
	return ids[0], nil
}

// migration finds a migration by its name, or by its number alone.
func (x *Index) migration(store, name string) (m *Migration, fault string) {
	same := x.byNumber(store, name)
	for _, m := range same {
		if m.Name == name {
			return m, ""
		}
	}
	switch {
	case digits(name) != name || len(same) == 0:
		return nil, "store " + store + " has no migration " + quote(name) + x.nearMigration(store, name)
	case len(same) > 1:
		return nil, "more than one migration has the number " + name + ": write the whole name"
	}
	return same[0], ""
}

// byNumber gives the migrations that have the same number as a name.
func (x *Index) byNumber(store, name string) []*Migration {
	list := x.stores[store]
	wanted := number(name)
	from := sort.Search(len(list), func(i int) bool {
		n := number(list[i].Name)
		return len(n) > len(wanted) || len(n) == len(wanted) && n >= wanted
	})
	to := from
	for to < len(list) && number(list[to].Name) == wanted {
		to++
	}
	return list[from:to]
}

func (x *Index) storeNames() []string {
	var names []string
	for _, s := range x.project.Stores {
		names = append(names, s.Name)
	}
	return names
}

// nearMigration gives a hint at the migration that was most likely meant.
func (x *Index) nearMigration(store, name string) string {
	list := x.stores[store]
	names := make([]string, 0, 200)
	for _, m := range append(slices.Clone(x.byNumber(store, name)), list[max(0, len(list)-100):]...) {
		names = append(names, m.Name)
	}
	if near := spelling.Nearest(name, names); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

// around gives the listed releases on both sides of one that is not listed.
func (x *Index) around(text string) string {
	id, err := x.scheme.Parse(text)
	if err != nil {
		return ""
	}
	at := sort.Search(len(x.listed), func(i int) bool { return release.Compare(x.listed[i].id, id) > 0 })
	switch {
	case len(x.listed) == 0:
		return ""
	case at == 0:
		return " (the oldest is " + x.listed[0].id.String() + ")"
	case at == len(x.listed):
		return " (the newest is " + x.listed[at-1].id.String() + ")"
	}
	return " (next to it are " + x.listed[at-1].id.String() + " and " + x.listed[at].id.String() + ")"
}

func quote(text string) string { return strconv.Quote(excerpt(text)) }
