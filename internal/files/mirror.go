package files

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/plan"
)

// wordMirror begins the directive of a mirror.
const wordMirror = "mirror"

// Mirror is a pair of columns of one table that the store keeps in step from
// expand until contract.
type Mirror struct {
	Line     int
	Table    string // as written, as the rest
	Old, New string // columns
	Up, Down string // expressions; both "": the value itself
}

func (m *Mirror) set(key, value string) {
	switch key {
	case keyTable:
		m.Table = value
	case keyOld:
		m.Old = value
	case keyNew:
		m.New = value
	case keyUp:
		m.Up = value
	case keyDown:
		m.Down = value
	}
}

// up is the expression that gives the new column.
func (m *Mirror) up() string {
	if m.Up == "" {
		return m.Old
	}
	return "(" + m.Up + ")"
}

// down is the expression that gives the old column.
func (m *Mirror) down() string {
	if m.Down == "" {
		return m.New
	}
	return "(" + m.Down + ")"
}

// declared writes mirrors in one form for all layouts, for checksums: what a
// mirror says is part of what its expand does.
func declared(mirrors []Mirror) string {
	var b strings.Builder
	for _, m := range mirrors {
		fmt.Fprintf(&b, "mirror %q %q %q %q %q\n", m.Table, m.Old, m.New, m.Up, m.Down)
	}
	return b.String()
}

// without gives a part of the file with the lines of directives made empty, so
// that what is left keeps its line numbers.
func (r *sqlReader) without(marks []mark, from, end int) string {
	if len(marks) == 0 {
		return r.text[from:end]
	}
	var b strings.Builder
	for _, k := range marks {
		b.WriteString(r.text[from:k.at])
		b.WriteByte('\n')
		from = k.end
	}
	b.WriteString(r.text[from:end])
	return b.String()
}

// takeMirrors reads the mirrors of the section that a directive opens.
func (r *sqlReader) takeMirrors(d *directive, marks []mark) []Mirror {
	if d.word != plan.Expand.String() {
		for _, k := range marks {
			r.problem(k.line, "put it below the line "+example, "mirror belongs into the section expand")
		}
		return nil
	}
	var kept []Mirror
	for _, k := range marks {
		line := r.directive(k)
		line.mirror.Line = k.line
		if len(line.problems) == 0 && r.whole(&line.mirror) {
			kept = append(kept, line.mirror)
		}
	}
	return kept
}

// whole complains of what a mirror lacks.
func (r *sqlReader) whole(m *Mirror) bool {
	before := len(r.problems)
	for _, part := range []struct{ key, value string }{{keyTable, m.Table}, {keyOld, m.Old}, {keyNew, m.New}} {
		if part.value == "" {
			r.problem(m.Line, "write "+sample(part.key), "the mirror does not say %s", part.key)
		}
	}
	switch {
	case m.Up == "" && m.Down != "", m.Up != "" && m.Down == "":
		r.problem(m.Line, "give the other one too, or none for columns that have equal values", "a mirror works both ways: up gives the new column, down the old one")
	case m.Old != "" && m.Old == m.New:
		r.problem(m.Line, "", "the mirror has one column on both sides")
	}
	for _, expression := range []string{m.Up, m.Down} {
		if strings.Contains(expression, "--") || strings.Contains(expression, "/*") {
			r.problem(m.Line, "write it above the directive", "the expression of a mirror has a comment in it")
		}
	}
	return len(r.problems) == before
}

// derive fills in the sections that follow from mirrors: the backfill and the
// verification, where the author wrote none, or only their directives.
func (r *sqlReader) derive() {
	expand := r.m.Section(plan.Expand, false)
	if expand == nil || len(expand.Mirrors) == 0 {
		for _, kind := range r.empty {
			r.complainEmpty(r.m.Section(kind, false))
		}
		return
	}
	mirrors := expand.Mirrors
	r.checkMirrors(mirrors)
	if r.m.Section(plan.Contract, false) == nil {
		r.problem(mirrors[0].Line, "add a section contract: it ends the mirror, and may drop the old column", "the mirror has no end")
	}
	r.fill(plan.Backfill, mirrors, backfillOf)
	r.fill(plan.Verify, mirrors, verifyOf)
}

// checkMirrors looks at how the mirrors of a migration stand together.
func (r *sqlReader) checkMirrors(mirrors []Mirror) {
	for i, m := range mirrors {
		for _, other := range mirrors[:i] {
			if column := shared(&m, &other); column != "" {
				r.problem(m.Line, "", "column %s is in a second mirror, the first is in line %d", column, other.Line)
			}
		}
		if first := mirrors[0]; bareName(m.Table) != bareName(first.Table) && r.unwritten(plan.Backfill) {
			r.problem(m.Line, "put it into a migration of its own, or write the backfill", "the mirrors are of two tables, %s and %s, and a backfill goes through one", first.Table, m.Table)
		}
	}
}

// shared gives the column that two mirrors have in common; "": none.
func shared(a, b *Mirror) string {
	if bareName(a.Table) != bareName(b.Table) {
		return ""
	}
	for _, column := range []string{a.Old, a.New} {
		if bareName(column) == bareName(b.Old) || bareName(column) == bareName(b.New) {
			return column
		}
	}
	return ""
}

// bareName is a name without quotes and schema, in small letters. Two names
// that differ in it are of different things; the other way round it may err,
// on the side of caution.
func bareName(name string) string {
	return strings.ToLower(strings.Trim(name[strings.LastIndexByte(name, '.')+1:], "\"`[]"))
}

// unwritten tells whether a section is left to be derived.
func (r *sqlReader) unwritten(kind plan.Kind) bool {
	return r.m.Section(kind, false) == nil || slices.Contains(r.empty, kind)
}

// fill puts in the text of a section, and the section itself where the author
// left it out. Its checksum is that of the mirrors: the text may be worded
// otherwise by another version.
func (r *sqlReader) fill(kind plan.Kind, mirrors []Mirror, text func([]Mirror) string) {
	if !r.unwritten(kind) {
		return
	}
	s := r.m.Section(kind, false)
	if s == nil {
		s = r.insert(kind, mirrors[0].Line)
	}
	s.Text, s.Sum, s.Derived = text(mirrors), sumOf(kind.String()+"\n"+declared(mirrors)), true
	if kind == plan.Backfill && s.Table == "" {
		s.Table = mirrors[0].Table
	}
}

// insert puts in a section behind the one that it comes after. A release that
// needs a backfill needs the proof that it is whole, too.
func (r *sqlReader) insert(kind plan.Kind, line int) *Section {
	s := Section{Kind: kind, Directive: line, Line: line}
	before := plan.Expand
	if kind == plan.Verify {
		before = plan.Backfill
		s.Needs = r.m.Section(before, false).Needs
	}
	at := 1 + slices.IndexFunc(r.m.Sections, func(s Section) bool { return !s.Undo && s.Kind == before })
	r.m.Sections = slices.Insert(r.m.Sections, at, s)
	return &r.m.Sections[at]
}

// backfillOf fills new columns that are still NULL. A value that is there was
// written by new code, or came by way of the mirror: it is never overwritten.
func backfillOf(mirrors []Mirror) string {
	var sets, conditions []string
	for i := range mirrors {
		m := &mirrors[i]
		value := m.up()
		if len(mirrors) > 1 {
			value = "coalesce(" + m.New + ", " + value + ")"
		}
		sets = append(sets, m.New+" = "+value)
		conditions = append(conditions, fmt.Sprintf("%s IS NULL AND %s IS NOT NULL", m.New, m.up()))
	}
	return "UPDATE " + mirrors[0].Table + " SET " + strings.Join(sets, ", ") + " WHERE " + strings.Join(conditions, " OR ") + ";\n"
}

// verifyOf finds rows whose two sides are no image of each other. NULL in the
// new column stands for "not filled", so that only the old one can tell then.
func verifyOf(mirrors []Mirror) string {
	var b strings.Builder
	for i := range mirrors {
		m := &mirrors[i]
		fmt.Fprintf(&b, "SELECT * FROM %s WHERE %s IS DISTINCT FROM %s AND (%s IS NULL OR %s IS DISTINCT FROM %s);\n",
			m.Table, m.New, m.up(), m.New, m.Old, m.down())
	}
	return b.String()
}
