package keytemplate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Parse reads a template. A "<" that belongs to the key is written "\<", a
// backslash "\\". The error is a sentence for people without the template.
func Parse(text string) (Template, error) {
	t := Template{text: text}
	var literal strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i++; i == len(text) {
				return Template{}, errors.New(`a backslash at the end: write "\\" for one that belongs to the key`)
			}
			literal.WriteByte(text[i])
		case '<':
			end := closing(text[i:])
			if end < 0 {
				return Template{}, fmt.Errorf("the part that begins with %q has no \">\"", text[i:])
			}
			t.add(&literal)
			p, err := parsePart(text[i+1 : i+end])
			if err != nil {
				return Template{}, err
			}
			t.pieces = append(t.pieces, p)
			i += end
		default:
			literal.WriteByte(text[i])
		}
	}
	t.add(&literal)
	return t, t.check()
}

// add ends a piece of text.
func (t *Template) add(literal *strings.Builder) {
	if literal.Len() > 0 {
		t.pieces = append(t.pieces, piece{literal: literal.String()})
		literal.Reset()
	}
}

// closing finds the ">" of a part: not one in a class or behind a backslash,
// and not that of a named group.
func closing(text string) int {
	class, groups := false, 0
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '<' && !class:
			groups++
		case c == '>' && !class:
			if groups == 0 {
				return i
			}
			groups--
		}
	}
	return -1
}

var partName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parsePart reads what stands between "<" and ">".
func parsePart(text string) (piece, error) {
	name, expression, has := strings.Cut(text, ":")
	p := piece{name: name}
	if short, ok := strings.CutSuffix(name, "..."); ok {
		p.name, p.rest = short, true
	}
	if !partName.MatchString(p.name) {
		return piece{}, fmt.Errorf("<%s>: a part has a name of letters, digits and _, such as <tenant>, <id:[0-9]+> or <rest...>", text)
	}
	if !has {
		return p, nil
	}
	if p.rest {
		return piece{}, fmt.Errorf("<%s>: a rest takes everything, so it has no pattern", text)
	}
	var err error
	if p.pattern, err = newPattern(expression); err != nil {
		return piece{}, fmt.Errorf("<%s>: %w", text, err)
	}
	return p, nil
}

// check says what is wrong with the template as a whole.
func (t *Template) check() error {
	seen := map[string]int{}
	for i, p := range t.pieces {
		if p.name == "" {
			continue
		}
		if p.rest && i != len(t.pieces)-1 {
			return fmt.Errorf("the rest <%s...> is not at the end", p.name)
		}
		if i > 0 && t.pieces[i-1].name != "" {
			return fmt.Errorf("nothing stands between <%s> and <%s>: where the one ends could not be told", t.pieces[i-1].name, p.name)
		}
		if before, ok := seen[p.name]; ok {
			if p.pattern != nil || p.rest {
				return fmt.Errorf("<%s> is there twice: write its pattern at its first place only", p.name)
			}
			t.pieces[i].pattern, t.pieces[i].part = t.pieces[before].pattern, t.pieces[before].part
			continue
		}
		seen[p.name], t.pieces[i].part = i, t.parts
		t.parts++
	}
	if len(t.pieces) == 0 {
		return errors.New("the template is empty")
	}
	return nil
}
