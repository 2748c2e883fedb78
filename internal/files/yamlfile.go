package files

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// parseYAML reads a migration that is written as YAML, with a step a key. Its
// store's kind understands what stands below the keys; here only what every
// step has is taken out. m.File is set.
func parseYAML(m *Migration, data []byte) []Problem {
	y := &yamlReader{file: m.File, strict: true}
	text := strings.TrimPrefix(string(data), byteOrderMark)
	root := y.parse([]byte(text))
	if root == nil {
		if len(y.problems) == 0 {
			y.problem(Place{File: m.File, Line: 1}, "begin it with a key `expand:` or `backfill:`", "the file has no section")
		}
		return y.problems
	}
	if n, ok := root.(*ast.MappingNode); ok && n.IsFlowStyle {
		y.problem(y.place(root), "write each step's key at the beginning of a line", "a migration in braces")
		return y.problems
	}
	starts := lineStarts(text)
	entries := y.pairs(root, "a migration")
	var every *pair // the predicate of all steps
	for i, e := range entries {
		switch e.key {
		case keyAfter:
			m.After, m.Line = y.names(e.value, keyAfter), e.place.Line
			continue
		case keyWhen:
			every = &entries[i]
			continue
		}
		end := len(text)
		if i+1 < len(entries) {
			end = offset(starts, text, entries[i+1].place)
		}
		y.section(m, e, text[offset(starts, text, e.place):end])
	}
	if len(y.problems) == 0 && len(m.Sections) == 0 {
		y.problem(Place{File: m.File, Line: 1}, "begin it with a key `expand:` or `backfill:`", "the file has no section")
	}
	if every != nil {
		y.whenForAll(m, every.value)
	}
	return append(y.problems, checkSections(m)...)
}

// section reads one step. source begins with its key.
func (y *yamlReader) section(m *Migration, e pair, source string) {
	d := directive{place: e.place}
	if e.key == "migration" || !d.begin(e.key) {
		if len(d.problems) == 0 {
			d.problem("write `after:` as a key of the file", "migration is no section")
		}
		y.problems = append(y.problems, d.problems...)
		return
	}
	var body strings.Builder
	d.place.Column = 0
	if _, null := y.bare(e.value).(*ast.NullNode); null {
		y.problem(e.place, "say below it what is to be done, or take it away", "the section %s is empty", e.key)
	}
	y.subtree(&d, e.value, &body)
	y.problems = append(y.problems, d.problems...)
	s := d.section
	_, s.Text, _ = strings.Cut(source, ":")
	s.Directive, s.Line, s.Sum = e.place.Line, e.place.Line, sumOf(body.String())
	m.Sections = append(m.Sections, s)
}

// subtree takes the directives out of a step and writes the rest in a form
// that does not depend on layout and comments, for the checksum.
func (y *yamlReader) subtree(d *directive, node ast.Node, body *strings.Builder) {
	mapping, ok := y.bare(node).(*ast.MappingNode)
	if !ok {
		y.canonical(node, body, 0)
		return
	}
	for _, e := range y.pairs(mapping, d.word) {
		switch e.key {
		case keyRequires:
			d.section.Requires = y.names(e.value, e.key)
		case wordOffline:
			d.section.Offline = y.truth(e.value, e.key)
		case keyWhen:
			d.place = y.place(e.value)
			d.section.WhenLine = d.place.Line
			d.set(e.key, y.predicate(e.value), true)
		case keyWriters, keyReaders, keyNeeds, keyLockTimeout:
			d.place = y.place(e.value)
			d.set(e.key, y.text(e.value, e.key), true)
		default:
			fmt.Fprintf(body, "%q:", e.key)
			y.canonical(e.value, body, 0)
			body.WriteByte('\n')
		}
	}
}

// names reads one name or a list of names.
func (y *yamlReader) names(node ast.Node, what string) []string {
	if _, isList := y.bare(node).(*ast.SequenceNode); isList {
		return y.texts(node, what)
	}
	return splitList(y.text(node, what))
}

// canonical writes a node in one form for all layouts. Depth is bounded: the
// checksum of a file that nests deeper is refused rather than guessed.
func (y *yamlReader) canonical(node ast.Node, body *strings.Builder, depth int) {
	const deepest = 50
	bare := y.bare(node)
	switch n := bare.(type) {
	case *ast.SequenceNode:
		body.WriteByte('[')
		for _, v := range n.Values {
			if depth < deepest {
				y.canonical(v, body, depth+1)
			}
			body.WriteByte(',')
		}
		body.WriteByte(']')
	case *ast.MappingNode, *ast.MappingValueNode:
		body.WriteByte('{')
		for _, e := range y.pairs(bare, "a mapping") {
			fmt.Fprintf(body, "%q:", e.key)
			if depth < deepest {
				y.canonical(e.value, body, depth+1)
			}
			body.WriteByte(',')
		}
		body.WriteByte('}')
	default:
		text, ok := scalar(bare)
		if !ok {
			y.problem(y.place(node), "", "a value that is neither text nor list nor mapping")
		}
		fmt.Fprintf(body, "%q", text)
	}
	if depth == deepest {
		y.problem(y.place(node), "", "nested too deeply")
	}
}

// lineStarts gives the offset of every line.
func lineStarts(text string) []int {
	starts := []int{0}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// offset gives the byte where a place is. Columns of a line's first key are
// bytes: nothing but blanks stands before it.
func offset(starts []int, text string, place Place) int {
	if place.Line < 1 || place.Line > len(starts) {
		return len(text)
	}
	return min(starts[place.Line-1]+max(place.Column-1, 0), len(text))
}
