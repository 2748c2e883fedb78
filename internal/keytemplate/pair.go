package keytemplate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pair says that keys of one form become keys of another.
type Pair struct {
	From, To Template
	// Over names the pairs, by their From as written, that this one is preferred
	// to where a key has a reading by both.
	Over []string

	fromOf, toOf []int // the number of a part in the other template, by its number in To, in From
}

// NewPair parses a pair, and refuses one that loses something on the way there
// or cannot know something on the way back. Patterns are written in from.
//
// A part that stands between braces in to takes no braces itself, whatever its
// pattern says: the server would see another hash tag, and "tenant:{a}:x" could
// be a source as well as a target. A key whose part has braces is no source.
func NewPair(from, to string, over ...string) (Pair, error) {
	p := Pair{Over: over}
	var err error
	if p.From, err = Parse(from); err != nil {
		return Pair{}, fmt.Errorf("from %q: %w", from, err)
	}
	if p.To, err = Parse(to); err != nil {
		return Pair{}, fmt.Errorf("to %q: %w", to, err)
	}
	if from == to {
		return Pair{}, fmt.Errorf("from and to are the same, %q", from)
	}
	if err := p.invertible(); err != nil {
		return Pair{}, fmt.Errorf("from %q to %q: %w", from, to, err)
	}
	p.shareTags()
	p.sharePatterns()
	p.fromOf, p.toOf = numbers(p.To, p.From), numbers(p.From, p.To)
	return p, nil
}

// invertible says what a pair would lose.
func (p Pair) invertible() error {
	there, back := p.From.Names(), p.To.Names()
	for _, name := range there {
		if !slices.Contains(back, name) {
			return fmt.Errorf("<%s> is lost: keys that differ in it only would become one key", name)
		}
	}
	for _, name := range back {
		if !slices.Contains(there, name) {
			return fmt.Errorf("<%s> is not in from: what to put there is not known", name)
		}
	}
	for _, piece := range p.To.pieces {
		if piece.pattern != nil {
			return fmt.Errorf("<%s>: its pattern is written in from", piece.name)
		}
		if from := p.From.part(piece.name); piece.name != "" && piece.rest != from.rest {
			return fmt.Errorf("<%s> is a rest at one of the two places only", piece.name)
		}
	}
	if len(there) == 0 && p.From.Prefix() == p.To.Prefix() {
		return errors.New("they are the same key")
	}
	return nil
}

// part gives the first piece of that name.
func (t Template) part(name string) piece {
	for _, p := range t.pieces {
		if p.name == name {
			return p
		}
	}
	return piece{}
}

// shareTags keeps braces out of parts that become hash tags.
func (p *Pair) shareTags() {
	to := p.To.pieces
	for i := 1; i < len(to)-1; i++ {
		if to[i].name == "" || !tagged(to[i-1].literal, to[i+1].literal) {
			continue
		}
		for k := range p.From.pieces {
			if p.From.pieces[k].name == to[i].name {
				p.From.pieces[k].tag = true
			}
		}
	}
}

// tagged tells whether what stands between two texts is a hash tag.
func tagged(before, after string) bool {
	return len(before) > 0 && before[len(before)-1] == '{' && len(after) > 0 && after[0] == '}'
}

// sharePatterns makes the parts of to take what those of from take.
func (p *Pair) sharePatterns() {
	for i, part := range p.To.pieces {
		if part.name != "" {
			from := p.From.part(part.name)
			p.To.pieces[i].pattern, p.To.pieces[i].tag = from.pattern, from.tag
		}
	}
}

// mostReadings bounds what is looked at for one key.
const mostReadings = 16

// numbers gives the numbers that the parts of a have in b.
func numbers(a, b Template) []int {
	all := make([]int, a.parts)
	for _, p := range a.pieces {
		if p.name != "" {
			all[p.part] = b.part(p.name).part
		}
	}
	return all
}

// there gives the keys that key may become.
func (p *Pair) there(key string) found { return through(&p.From, &p.To, p.fromOf, key) }

// back gives the keys that may become key.
func (p *Pair) back(key string) found { return through(&p.To, &p.From, p.toOf, key) }

// through reads a key by one template and writes it by the other. What the
// parts of the one take, those of the other take too.
func through(a, b *Template, parts []int, key string) found {
	m := matching{most: mostReadings, to: b, parts: parts}
	a.search(key, &m)
	return m.keys
}

// write gives the key that has the values of a reading in its parts, which parts
// numbers.
func (t *Template) write(m *matching, parts []int) string {
	length := 0
	for i := range t.pieces {
		length += len(t.pieces[i].literal)
		if t.pieces[i].name != "" {
			length += len(*m.value(parts[t.pieces[i].part]))
		}
	}
	var b strings.Builder
	b.Grow(length)
	for i := range t.pieces {
		b.WriteString(t.pieces[i].literal)
		if t.pieces[i].name != "" {
			b.WriteString(*m.value(parts[t.pieces[i].part]))
		}
	}
	return b.String()
}
