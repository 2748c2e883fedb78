package importer

import (
	"html"
	"regexp"
	"strings"
)

// span is a range as a table gives it. An empty bound is open.
type span struct {
	low, high         string
	lowOpen, highOpen bool // the bound itself is not part of it
}

var (
	bounds = regexp.MustCompile(`^\s*(<=|>=|==|<|>|=)?\s*v?([0-9][0-9A-Za-z._+-]*)\s*(?:,|&&|\band\b)?`)
	fromTo = regexp.MustCompile(`^\s*v?([0-9][0-9A-Za-z._-]*)\s*(?:\.\.\.?| - | to |–|—)\s*v?([0-9][0-9A-Za-z._-]*)\s*$`)
	ranges = regexp.MustCompile(`^([0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*)\.\.\.?([0-9][0-9A-Za-z._-]*)$`)
)

// parseSpan reads "< 10", ">= 1.5, < 1.7", "3 - 7", "3..7", "1.5+", "5" or
// "any". ok is false where a text is none of them.
func parseSpan(text string) (s span, ok bool) {
	text = strings.NewReplacer("≤", "<=", "≥", ">=").Replace(text)
	switch strings.ToLower(text) {
	case "", "any", "all", "*", "-", "–":
		return span{}, true
	}
	if m := ranges.FindStringSubmatch(text); m != nil {
		return span{low: m[1], high: m[2]}, true
	}
	if m := fromTo.FindStringSubmatch(text); m != nil {
		return span{low: m[1], high: m[2]}, true
	}
	for rest := text; strings.TrimSpace(rest) != ""; {
		m := bounds.FindStringSubmatch(rest)
		if m == nil || !s.bound(m[1], m[2]) {
			return span{}, false
		}
		rest = rest[len(m[0]):]
	}
	return s, true
}

// bound puts one comparison in; false: the bound was given already.
func (s *span) bound(sign, value string) bool {
	value, plus := strings.CutSuffix(value, "+")
	if plus && sign == "" {
		sign = ">="
	}
	switch sign {
	case ">", ">=":
		if s.low != "" {
			return false
		}
		s.low, s.lowOpen = value, sign == ">"
	case "<", "<=":
		if s.high != "" {
			return false
		}
		s.high, s.highOpen = value, sign == "<"
	default:
		if s.low != "" || s.high != "" {
			return false
		}
		s.low, s.high = value, value
	}
	return value != ""
}

// plainText takes out of a cell what only decorates it.
func plainText(cell string) string {
	return strings.TrimSpace(strings.Trim(html.UnescapeString(strings.ReplaceAll(cell, "`", "")), " \t*_"))
}
