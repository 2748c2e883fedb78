package keytemplate

import (
	"regexp"
	"regexp/syntax"
)

// pattern is what a part takes: a regular expression for all of its text.
type pattern struct {
	text string
	all  *regexp.Regexp
	some *[256]bool // bytes of an ASCII class such as [^:]+, which needs no machine; nil: it is another expression
}

func newPattern(text string) (*pattern, error) {
	// By itself first: "a)|(b" is none, and would be one between brackets.
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		return nil, err
	}
	all, err := regexp.Compile(`(?s)\A(?:` + text + `)\z`)
	if err != nil {
		return nil, err
	}
	return &pattern{text: text, all: all, some: classOf(text)}, nil
}

// classOf finds the bytes of a pattern that is one class, one time or more.
func classOf(text string) *[256]bool {
	tree, err := syntax.Parse(text, syntax.Perl|syntax.DotNL)
	if err != nil || tree.Op != syntax.OpPlus || tree.Sub[0].Op != syntax.OpCharClass {
		return nil
	}
	class := tree.Sub[0].Rune
	var set [256]bool
	for i := 0; i < len(class); i += 2 {
		for r := class[i]; r <= min(class[i+1], 127); r++ {
			set[r] = true
		}
	}
	// A class takes all that is beyond ASCII or nothing of it; one in between
	// is left to the machine.
	switch last := class[len(class)-1]; {
	case last < 128:
	case last == 0x10ffff && class[len(class)-2] <= 128:
		for b := 128; b < 256; b++ {
			set[b] = true
		}
	default:
		return nil
	}
	return &set
}

// takes tells whether the pattern takes all of the value.
func (p *pattern) takes(value string) bool {
	if p.some == nil {
		return p.all.MatchString(value)
	}
	for i := range len(value) {
		if !p.some[value[i]] {
			return false
		}
	}
	return value != ""
}
