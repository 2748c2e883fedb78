package files

import (
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/plan"
)

// sqlReader cuts one SQL migration into its sections.
type sqlReader struct {
	m        *Migration
	text     string
	empty    []plan.Kind // sections without statements that a mirror may fill
	problems []Problem
}

// mark is where a directive line stands: bytes of the line, and its number.
type mark struct{ at, end, line int }

// parseSQL reads a SQL migration into m, whose File is set. The migration is
// whole only if there are no problems.
func parseSQL(m *Migration, text string) []Problem {
	r := &sqlReader{m: m, text: strings.TrimPrefix(text, byteOrderMark)}
	marks := r.marks(make([]mark, 0, 8))
	head := len(r.text)
	if len(marks) > 0 {
		head = marks[0].at
	}
	r.checkHead(r.text[:head], len(marks) > 0)
	m.Sections = make([]Section, 0, len(marks))
	for i := 0; i < len(marks); {
		next := i + 1
		for next < len(marks) && r.isMirror(marks[next]) {
			next++
		}
		end := len(r.text)
		if next < len(marks) {
			end = marks[next].at
		}
		r.take(marks[i], marks[i+1:next], end, i == 0)
		i = next
	}
	r.derive()
	if len(m.Sections) == 0 && len(r.problems) == 0 {
		r.problem(m.Line, "add a line "+example+" and statements below it", "the file has no section")
	}
	return append(r.problems, checkSections(m)...)
}

// isMirror tells whether a directive belongs to the section that it stands in,
// and begins none.
func (r *sqlReader) isMirror(k mark) bool {
	word, _ := cutWord(strings.TrimRight(r.text[k.at+len(directiveMark):k.end], "\r\n"))
	return word == wordMirror
}

func (r *sqlReader) problem(line int, next, format string, args ...any) {
	r.problems = append(r.problems, Problem{Place: Place{File: r.m.File, Line: line}, Message: fmt.Sprintf(format, args...), Next: next})
}

// marks finds the directive lines, and reports what nearly is one.
func (r *sqlReader) marks(found []mark) []mark {
	begin := 0 // of the open section's text
	for at, line := 0, 1; at < len(r.text); line++ {
		end := len(r.text)
		if n := strings.IndexByte(r.text[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		row := r.text[at:end]
		switch {
		case strings.HasPrefix(row, directiveMark):
			found = append(found, mark{at: at, end: end, line: line})
			begin = end
		case len(r.problems) < 20 && nearMiss(row) && !insideQuote(r.text[begin:at]):
			r.problem(line, "write "+intended(row)+" at the beginning of a line of its own", "%q nearly spells a directive", excerpt(row))
		}
		at = end
	}
	return found
}

// checkHead looks at what stands before the first directive.
func (r *sqlReader) checkHead(head string, begun bool) {
	at := firstStatement(head)
	switch {
	case !begun && len(r.problems) > 0: // a misspelled directive was reported
	case !begun:
		r.problem(1, "begin it with the line "+example, "the file has no section")
	case at < len(head):
		r.problem(1+strings.Count(head[:at], "\n"), "put the line "+example+" above it", "SQL before the first directive belongs to no section")
	}
}

// take reads one directive, with the mirrors below it, and the text up to end.
func (r *sqlReader) take(k mark, mirrors []mark, end int, first bool) {
	d := r.directive(k)
	text := r.without(mirrors, k.end, end)
	var kept []Mirror
	if d.word != "" {
		kept = r.takeMirrors(&d, mirrors)
	}
	switch d.word {
	case "":
		return
	case wordMirror:
		r.problem(k.line, "put it below the line "+example, "mirror belongs into the section expand")
		return
	case "migration":
		r.takeMigration(&d, text, first)
		return
	}
	s := d.section
	s.Directive, s.Line, s.Text, s.Sum, s.Mirrors = k.line, k.line+1, text, sumOf(text), kept
	switch {
	case len(mirrors) > 0 && d.word == plan.Expand.String():
		s.Sum = sumOf(text + "\n" + declared(kept))
	case firstStatement(text) < len(text):
	case !s.Undo && (s.Kind == plan.Backfill || s.Kind == plan.Verify):
		r.empty = append(r.empty, s.Kind) // a mirror may tell what belongs into it
	default:
		r.complainEmpty(&s)
	}
	r.m.Sections = append(r.m.Sections, s)
}

func (r *sqlReader) complainEmpty(s *Section) {
	r.problem(s.Directive, "write its statements below the line, or take the line away", "the section %s is empty", s.Name())
}

// directive reads one directive line.
func (r *sqlReader) directive(k mark) directive {
	d := directive{place: Place{File: r.m.File, Line: k.line}}
	d.read(strings.TrimRight(r.text[k.at+len(directiveMark):k.end], "\r\n"))
	r.problems = append(r.problems, d.problems...)
	return d
}

// takeMigration reads the directive that is about the whole file.
func (r *sqlReader) takeMigration(d *directive, text string, first bool) {
	r.m.After, r.m.Line = d.after, d.place.Line
	if !first || strings.TrimSpace(r.text[:strings.Index(r.text, directiveMark)]) != "" {
		r.problem(d.place.Line, "", "the directive migration stands in the first line of a file")
	}
	if at := firstStatement(text); at < len(text) {
		line := d.place.Line + 1 + strings.Count(text[:at], "\n")
		r.problem(line, "put the line "+example+" above it", "SQL before the first section belongs to no section")
	}
}

// checkSections looks at how the sections of a migration stand together.
func checkSections(m *Migration) []Problem {
	var problems []Problem
	complain := func(s *Section, next, format string, args ...any) {
		problems = append(problems, Problem{Place: Place{File: m.File, Line: s.Directive}, Message: fmt.Sprintf(format, args...), Next: next})
	}
	var last *Section
	for i := range m.Sections {
		s := &m.Sections[i]
		if first := m.Section(s.Kind, s.Undo); first != s {
			complain(s, "join them, or begin another migration", "a second section %s, the first is in line %d", s.Name(), first.Directive)
			continue
		}
		if s.Undo {
			if m.Section(s.Kind, false) == nil {
				complain(s, "", "%s without a section %s to reverse", s.Name(), s.Kind)
			}
			continue
		}
		if last != nil && s.Kind < last.Kind {
			complain(s, "the order is expand, backfill, verify, cutover, contract", "%s stands after %s", s.Kind, last.Kind)
		}
		last = s
	}
	if len(m.Sections) > 0 && last == nil && len(problems) == 0 {
		complain(&m.Sections[0], "", "the file has sections that reverse, but none that does anything")
	}
	return problems
}

// kindNames lists what a directive may begin with.
var kindNames = []string{
	plan.Expand.String(), plan.Backfill.String(), plan.Verify.String(), plan.Cutover.String(), plan.Contract.String(),
	"undo-expand", "undo-backfill", "migration", wordMirror,
}
