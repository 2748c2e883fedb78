package sqltext

import (
	"math"
	"strings"
)

// assignment is one item behind SET: a column, or several in brackets, and
// what they become.
type assignment struct {
	columns []string
	value   *Reader // at the value; ends with it
}

// assignments reads what an UPDATE sets. The reader stands before SET.
func assignments(r *Reader) []assignment {
	r.Take("SET")
	list := r.Fork()
	if end := r.Fork(); end.Find("FROM", "WHERE", "RETURNING") {
		list.toks = r.toks[:end.pos]
	}
	var set []assignment
	for _, item := range list.Items() {
		var a assignment
		group := item.Take("(")
		for {
			column, _, found := item.Identifier()
			if found {
				a.columns = append(a.columns, column)
			}
			if !found || !group || !item.Take(",") {
				break
			}
		}
		item.Take(")")
		item.Take("=")
		a.value = item
		set = append(set, a)
	}
	return set
}

// settles says whether a row that was changed once is out of the condition, or
// becomes the same when it is changed again. The reader stands behind WHERE.
//
// Asking for a column that is set is enough where its value comes from other
// columns. A value made of what is set already (cents = cents * 100) would be
// made again with each sweep: there the condition has to exclude what was done,
// as "NULL no longer" or as "not yet this value", and what it asks of the other
// columns must not be true of their new values too.
func settles(set []assignment, r *Reader, target string, stop int) bool {
	var all, plain []string
	for _, a := range set {
		all = append(all, a.columns...)
	}
	for _, a := range set {
		if !mentions(a.value, target, all, everything) {
			plain = append(plain, a.columns...)
		}
	}
	terms, alternatives := conjuncts(r, stop)
	if alternatives || len(plain) == len(all) {
		return mentions(r, target, plain, stop)
	}
	for _, term := range terms {
		if mentions(term, target, plain, everything) && !keeps(term, set) {
			return true
		}
		for _, a := range set {
			if mentions(term, target, a.columns, everything) && excludes(term, a) {
				return true
			}
		}
	}
	return false
}

// excludes says whether a term of a condition asks for NULL, or for a column
// that is not what the assignment makes it.
func excludes(term *Reader, a assignment) bool {
	text := packed(term)
	if strings.HasSuffix(text, " IS NULL") {
		return true
	}
	if len(a.columns) != 1 {
		return false
	}
	column, value := strings.ToUpper(a.columns[0]), packed(a.value)
	for _, sign := range []string{"<>", "< >", "!=", "! =", "IS DISTINCT FROM", "IS NOT"} {
		if text == column+" "+sign+" "+value || text == value+" "+sign+" "+column {
			return true
		}
	}
	return false
}

// keeps says whether a term still holds, as far as can be read off it, for a row
// with the values that are set: `unit IS NOT NULL` does where unit becomes 'c'.
func keeps(term *Reader, set []assignment) bool {
	text := packed(term)
	for _, a := range set {
		if len(a.columns) != 1 {
			continue
		}
		column, value := strings.ToUpper(a.columns[0]), packed(a.value)
		if text == column+" IS NOT NULL" && value != "NULL" || text == column+" = "+value {
			return true
		}
		for _, sign := range []string{" <> ", " != "} {
			if other, found := strings.CutPrefix(text, column+sign); found && other != value && isLiteral(other) && isLiteral(value) {
				return true
			}
		}
	}
	return false
}

// isLiteral is true for a number or a string alone.
func isLiteral(packed string) bool {
	if packed == "" || strings.Contains(packed, " ") {
		return false
	}
	return packed[0] == '\'' || packed[0] >= '0' && packed[0] <= '9'
}

// conjuncts splits a condition at AND. alternatives: there is an OR, and a
// single term says nothing of it.
func conjuncts(r *Reader, stop int) (terms []*Reader, alternatives bool) {
	open := func(pos int) *Reader { return &Reader{d: r.d, toks: r.toks[:pos], pos: pos} }
	r = r.Fork()
	term, depth := open(r.pos), 0
	for ; !r.AtEnd() && r.Peek(0).Start < stop; r.Next() {
		switch next := r.Peek(0); {
		case next.Is("("):
			depth++
		case next.Is(")"):
			depth--
		case depth == 0 && next.Is("OR"):
			return nil, true
		case depth == 0 && next.Is("AND"):
			terms = append(terms, term)
			term = open(r.pos + 1)
			continue
		}
		term.toks = r.toks[:r.pos+1]
	}
	return append(terms, term), false
}

// packed gives what is left of a reader in capitals, one blank between tokens.
func packed(r *Reader) string {
	var words []string
	for r = r.Fork(); !r.AtEnd(); r.Next() {
		words = append(words, strings.ToUpper(r.Peek(0).Text))
	}
	return strings.Join(words, " ")
}

// everything is a byte offset behind all text.
const everything = math.MaxInt
