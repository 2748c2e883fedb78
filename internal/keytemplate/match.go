package keytemplate

import (
	"maps"
	"strings"
)

// each gives the readings of a key one after the other, until give says false.
func (t Template) each(key string, give func(Values) bool) {
	if !strings.HasPrefix(key, t.Prefix()) {
		return
	}
	m := matching{give: give, values: Values{}}
	m.from(t.pieces, key)
}

// matching is the state of a search for readings.
type matching struct {
	values Values
	give   func(Values) bool
}

// from reads key by pieces. It tells whether to go on looking.
func (m *matching) from(pieces []piece, key string) bool {
	if len(pieces) == 0 {
		return key != "" || m.give(maps.Clone(m.values))
	}
	p, others := pieces[0], pieces[1:]
	if p.name == "" {
		rest, ok := strings.CutPrefix(key, p.literal)
		return !ok || m.from(others, rest)
	}
	if value, bound := m.values[p.name]; bound {
		rest, ok := strings.CutPrefix(key, value)
		return !ok || m.from(others, rest)
	}
	defer delete(m.values, p.name)
	for _, end := range ends(others, key) {
		if !p.takes(key[:end]) {
			continue
		}
		m.values[p.name] = key[:end]
		if !m.from(others, key[end:]) {
			return false
		}
	}
	return true
}

// ends gives the places where a part at the beginning of key may end: where the
// text begins that follows it. A part never follows a part, see check.
func ends(others []piece, key string) []int {
	if len(others) == 0 {
		return []int{len(key)}
	}
	var all []int
	for end := 1; end <= len(key); end++ {
		at := strings.Index(key[end:], others[0].literal)
		if at < 0 {
			break
		}
		end += at
		all = append(all, end)
	}
	return all
}
