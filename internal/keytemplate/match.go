package keytemplate

import (
	"slices"
	"strings"
)

// few is the number of parts up to which reading a key takes no memory.
const few = 8

// matching is a search for the readings of one key. What becomes of a reading
// is no function of the caller's: where the compiler does not know it, every
// search takes memory.
type matching struct {
	some  [few]string // values of the first parts, by number; "": not known yet
	other []string    // of those behind them
	most  int         // readings that are looked for
	count int         // readings that were found

	to    *Template // by which they are written; nil: their values are kept in texts
	parts []int     // the numbers of its parts here
	keys  found     // as they were written
	texts [][]string
}

// found is a list of keys, each once, which takes no memory for the first.
type found struct {
	one  string // "": the list is empty
	more []string
}

func (f *found) add(key string) {
	switch {
	case f.one == "":
		f.one = key
	case f.one != key && !slices.Contains(f.more, key):
		f.more = append(f.more, key)
	}
}

func (f *found) len() int {
	if f.one == "" {
		return 0
	}
	return 1 + len(f.more)
}

func (f *found) at(i int) string {
	if i == 0 {
		return f.one
	}
	return f.more[i-1]
}

// search looks for at most m.most readings of a key.
func (t *Template) search(key string, m *matching) {
	if !strings.HasPrefix(key, t.Prefix()) {
		return
	}
	if t.parts > few {
		m.other = make([]string, t.parts-few)
	}
	m.from(t.pieces, key)
}

// value gives the place for the value of a part.
func (m *matching) value(part int) *string {
	if part < few {
		return &m.some[part]
	}
	return &m.other[part-few]
}

// take takes a reading. It tells whether to go on looking.
func (m *matching) take() bool {
	m.count++
	if m.to == nil {
		m.texts = append(m.texts, append(slices.Clone(m.some[:]), m.other...))
	} else {
		m.keys.add(m.to.write(m, m.parts))
	}
	return m.count < m.most
}

// from reads key by pieces. It tells whether to go on looking.
func (m *matching) from(pieces []piece, key string) bool {
	if len(pieces) == 0 {
		return key != "" || m.take()
	}
	p, others := &pieces[0], pieces[1:]
	if p.name == "" {
		rest, ok := strings.CutPrefix(key, p.literal)
		return !ok || m.from(others, rest)
	}
	value := m.value(p.part)
	if *value != "" {
		rest, ok := strings.CutPrefix(key, *value)
		return !ok || m.from(others, rest)
	}
	on, most := true, p.most(key)
	for end := p.next(others, key, 1); on && end > 0 && end <= most; end = p.next(others, key, end+1) {
		if p.fits(key[:end]) {
			*value = key[:end]
			on = m.from(others, key[end:])
		}
	}
	*value = ""
	return on
}

// next gives the first place from least on where a part at the beginning of key
// may end: where the text begins that follows it; 0: there is none. A part never
// follows a part, see check.
func (p *piece) next(others []piece, key string, least int) int {
	if least > len(key) {
		return 0
	}
	if len(others) == 0 {
		return len(key)
	}
	at := strings.Index(key[least:], others[0].literal)
	if at < 0 {
		return 0
	}
	return least + at
}

// most gives how much of key the part can take at most, by what can be told from
// the bytes one by one.
func (p *piece) most(key string) int {
	n := len(key)
	if p.tag {
		for _, brace := range []byte("{}") {
			if at := strings.IndexByte(key[:n], brace); at >= 0 {
				n = at
			}
		}
	}
	if p.pattern == nil || p.pattern.some == nil {
		return n
	}
	for i := range n {
		if !p.pattern.some[key[i]] {
			return i
		}
	}
	return n
}

// fits tells of what most has let pass whether the part takes it.
func (p *piece) fits(value string) bool {
	return p.pattern == nil || p.pattern.some != nil || p.pattern.takes(value)
}
