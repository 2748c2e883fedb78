package files

import (
	"fmt"

	"github.com/stopover-dev/stopover/plan"
)

// builder makes a catalogue of a project.
type builder struct {
	p        *Project
	cat      plan.Catalogue
	index    *Index
	problems []Problem
	broken   bool // a problem is about the files themselves
}

// Catalogue resolves what the project declares for the planner: releases are
// ordered, names are looked up, implicit parts are put in. extra are release
// ids that are met outside the files (the fleet's, the target, the runner's);
// those that are not listed are put where they belong, marked Unlisted. One
// that cannot be placed, because it cannot be understood or is older than all
// that is known, is a problem with Extra set, and Index.At does not know it.
//
// Problems that are no notes mean that the catalogue must not be used, unless
// all of them are about extra ids that the caller can do without.
func (p *Project) Catalogue(extra ...string) (plan.Catalogue, *Index, []Problem) {
	b := &builder{p: p, index: &Index{project: p}}
	b.cat.Application, b.cat.Soak = p.Application, p.Soak
	b.index.order(p)
	b.migrations()
	b.releases(extra)
	b.components()
	b.mirrors()
	b.steps()
	b.check()
	return b.cat, b.index, sortProblems(b.problems)
}

func (b *builder) problem(place Place, next, format string, args ...any) {
	b.broken = true
	b.problems = append(b.problems, Problem{Place: place, Message: fmt.Sprintf(format, args...), Next: next})
}

func (b *builder) note(place Place, next, format string, args ...any) {
	b.problems = append(b.problems, Problem{Place: place, Message: fmt.Sprintf(format, args...), Next: next, Note: true})
}

// components puts in the declared components, or "app" that writes everywhere.
func (b *builder) components() {
	for _, c := range b.p.Components {
		b.cat.Components = append(b.cat.Components, plan.Component{Name: c.Name, Uses: c.Uses})
	}
	if len(b.cat.Components) > 0 {
		return
	}
	app := plan.Component{Name: "app", Uses: map[string]plan.Role{}}
	for _, s := range b.p.Stores {
		app.Uses[s.Name] = plan.ReadWrite
	}
	b.cat.Components = []plan.Component{app}
}

// migrations looks at the migrations of each store as a sequence.
func (b *builder) migrations() {
	for _, s := range b.p.Stores {
		list := b.index.stores[s.Name]
		for i, m := range list {
			if i > 0 {
				b.neighbours(list[i-1], m)
			}
			for _, name := range m.After {
				b.after(m, name)
			}
		}
	}
	for _, m := range b.index.strays {
		b.problem(Place{File: m.File}, "", "migration %s is for a store %q that the project does not have", m.Name, m.Store)
	}
}

// neighbours complains of two migrations with one name or one number.
func (b *builder) neighbours(a, m *Migration) {
	switch {
	case a.Name == m.Name:
		b.problem(Place{File: m.File}, "rename one: the name is what the ledger knows a migration by", "a second migration %s, the first is %s", m.Name, a.File)
	case number(a.Name) == number(m.Name) && digits(m.Name) != "" && !b.follows(m, a):
		b.problem(Place{File: m.File}, fmt.Sprintf("give the newer one the next number, or write `-- stopover: migration after=%s` into it", a.Name),
			"%s has the same number as %s, and nothing says which comes first", m.Name, a.Name)
	}
}

// follows reports that a migration says itself that it comes after another.
func (b *builder) follows(m, earlier *Migration) bool {
	for _, name := range m.After {
		if found, _ := b.index.migration(m.Store, name); found == earlier {
			return true
		}
	}
	return false
}

// after checks that what a migration wants before it does stand before it.
func (b *builder) after(m *Migration, name string) {
	place := Place{File: m.File, Line: m.Line}
	earlier, fault := b.index.migration(m.Store, name)
	switch {
	case fault != "":
		b.problem(place, "", "after=%s: %s", excerpt(name), fault)
	case earlier == m:
		b.problem(place, "", "after=%s: a migration cannot come after itself", excerpt(name))
	case CompareNames(earlier.Name, m.Name) > 0:
		b.problem(place, "give this one a higher number", "after=%s: it comes later by its number, and numbers decide", excerpt(name))
	}
}

// check asks the planner what it thinks of the whole, if the files are sound
// so far, and finds the place of each answer.
func (b *builder) check() {
	if b.broken || len(b.cat.Releases) == 0 {
		return
	}
	for _, p := range plan.Check(b.cat) {
		b.problems = append(b.problems, Problem{Place: b.place(p), Message: p.Text, Note: p.Severity == plan.Note})
	}
}

// place finds where that stands what the planner complains of.
func (b *builder) place(p plan.Problem) Place {
	if p.Step != (plan.StepID{}) {
		return b.index.Place(p.Step)
	}
	for _, c := range b.p.Components {
		if c.Name == p.Component {
			return Place{File: b.p.File, Line: c.Line}
		}
	}
	for i := range b.p.Releases {
		if r := &b.p.Releases[i]; p.Release >= 0 && r.ID == b.cat.Releases[p.Release].ID {
			return r.Place
		}
	}
	return Place{File: b.p.File}
}
