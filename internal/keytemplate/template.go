// Package keytemplate reads the names of keys by templates with named parts,
// and says which name becomes which. It knows no store and asks none.
//
// The invariant: nothing is guessed. A name that can be read in two ways is
// reported with both, and a name has a target only if that target has no other
// source.
package keytemplate

import (
	"slices"
	"strings"
)

// Template is a form of keys: text, parts such as <tenant> or <id:[0-9]+>, and
// at the end perhaps a rest, <rest...>.
//
// A part takes one byte or more, of any value where no pattern stands behind
// its name. So "tenant:<tenant>:<rest...>" reads the key "tenant:a:b:c" in two
// ways; "tenant:<tenant:[^:]+>:<rest...>" in one. A rest differs from a part
// only in being at the end. A part that is named twice takes the same text at
// both places.
type Template struct {
	text   string
	pieces []piece
	parts  int // with different names
}

// piece is text, or a part if it has a name.
type piece struct {
	literal string
	name    string
	part    int // number among the names, from 0
	rest    bool
	pattern *pattern // nil: anything
	tag     bool     // it becomes a hash tag, so it has no braces
}

// Values are the texts of the parts, by name.
type Values map[string]string

// String gives the template as it was written.
func (t Template) String() string { return t.text }

// Names gives the names of the parts in their order, each once.
func (t Template) Names() []string {
	var names []string
	for _, p := range t.pieces {
		if p.name != "" && !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

// Prefix is the longest text that all keys of the template begin with.
func (t Template) Prefix() string {
	if len(t.pieces) > 0 {
		return t.pieces[0].literal
	}
	return ""
}

// Expand gives the key that has these values. ok is false where a value is
// missing, empty, or not what its part takes.
func (t Template) Expand(values Values) (key string, ok bool) {
	var b strings.Builder
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.name == "" {
			b.WriteString(p.literal)
			continue
		}
		value := values[p.name]
		if !p.takes(value) {
			return "", false
		}
		b.WriteString(value)
	}
	return b.String(), true
}

func (p *piece) takes(value string) bool {
	return value != "" && (p.pattern == nil || p.pattern.takes(value)) && !(p.tag && strings.ContainsAny(value, "{}"))
}

// Matches tells whether the key can be read by the template in any way.
func (t Template) Matches(key string) bool {
	m := matching{most: 1}
	t.search(key, &m)
	return m.count > 0
}

// Readings gives all ways to read the key, at most limit of them.
func (t Template) Readings(key string, limit int) []Values {
	m := matching{most: limit}
	t.search(key, &m)
	var all []Values
	for _, texts := range m.texts {
		values := Values{}
		for _, p := range t.pieces {
			if p.name != "" {
				values[p.name] = texts[p.part]
			}
		}
		all = append(all, values)
	}
	return all
}
