package files

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is where something stands in a file. Line and column count from 1; 0:
// unknown.
type Place struct {
	File   string
	Line   int
	Column int
}

// String gives "file:line:column" as far as it is known.
func (p Place) String() string {
	text := p.File
	if p.Line > 0 {
		text += fmt.Sprintf(":%d", p.Line)
		if p.Column > 0 {
			text += fmt.Sprintf(":%d", p.Column)
		}
	}
	return text
}

// Problem is something in the files that is wrong, or (Note) that a reviewer
// should see. It never contains a URL.
type Problem struct {
	Place
	Message string
	Next    string // what to write or type; "": the message says it
	Note    bool
	Extra   string // the id given to Catalogue that it is about; "": it is about the files
}

// Error gives place, message and next step in one line.
func (p *Problem) Error() string {
	text := p.Message
	if place := p.Place.String(); place != "" {
		text = place + ": " + text
	}
	if p.Next != "" {
		text += "; " + p.Next
	}
	return text
}

// Problems is every problem that was found, ordered by place. There is at
// least one, and none is a note.
type Problems struct{ List []Problem }

// Error lists the problems, one a line.
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i := range p.List {
		lines[i] = p.List[i].Error()
	}
	return strings.Join(lines, "\n")
}

// one makes an error of a single problem.
func one(p Problem) error { return &Problems{List: []Problem{p}} }

// sortProblems orders by place and takes doubles out.
func sortProblems(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(list)
}
