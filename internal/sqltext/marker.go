package sqltext

import "strings"

// marker is a :range or :range(alias) in a statement.
type marker struct {
	start, stop int // bytes in Text
	line        int
	alias       string // as written; "" if there is none
}

// Marker gives the line of the first :range in the statement.
func (s Statement) Marker() (line int, found bool) {
	markers, err := s.markers()
	if err != nil || len(markers) == 0 {
		return 0, false
	}
	return markers[0].line, true
}

// markers finds them. They stand where a condition stands, which tells them
// from the bound of an array slice and from the colon of a JSON constructor.
func (s Statement) markers() ([]marker, error) {
	var found []marker
	for i, t := range s.toks {
		if t.Kind != Parameter || !strings.EqualFold(t.Text, ":range") {
			continue
		}
		if i == 0 || !s.toks[i-1].IsAny("WHERE", "AND", "OR", "NOT", "ON", "WHEN", "HAVING", "(") {
			continue
		}
		m := marker{start: t.Start, stop: t.Stop(), line: t.Line}
		r := Reader{d: s.d, toks: s.toks, pos: i + 1}
		if r.Take("(") {
			_, alias, named := r.Identifier()
			if !named || !r.Is(")") {
				return nil, errorAt(t.Line, "write :range or :range(alias), with the name by which the statement calls the table")
			}
			m.alias, m.stop = alias.Text, r.Peek(0).Stop()
		}
		found = append(found, m)
	}
	return found, nil
}

// cutAtMarker cuts any statement where its author said.
func (s Statement) cutAtMarker(m marker, table string) (*Cut, error) {
	named, ok := ParseName(s.d, table)
	if !ok {
		return nil, errorAt(m.line, ":range needs the name of its table: write table=NAME in the directive")
	}
	c := &Cut{Table: named, Alias: m.alias, mode: atMarker, text: s.Text}
	if c.Alias == "" {
		c.Alias = named.BaseText
	}
	c.before, c.after = s.Text[:m.start], s.Text[m.stop:]
	c.Repeatable = s.skipsConflicts()
	return c, nil
}

// skipsConflicts: an INSERT that leaves out rows which are there already.
func (s Statement) skipsConflicts() bool {
	if s.Verb != "INSERT" {
		return false
	}
	r := s.Reader()
	if s.d == SQLite && r.Find("INSERT") && r.Is("INSERT", "OR", "IGNORE") {
		return true
	}
	for r = s.Reader(); r.Find("DO"); r.Next() {
		if r.Is("DO", "NOTHING") {
			return true
		}
	}
	return false
}

// mentions says whether one of the columns is named between the reader and the
// byte offset stop, as a column of the target and not of another table.
func mentions(r *Reader, target string, columns []string, stop int) bool {
	same := func(t Token, name string) bool {
		if t.Kind != Word && t.Kind != Quoted {
			return false
		}
		written := Identifier(r.d, t)
		return written == name || r.d == SQLite && strings.EqualFold(written, name)
	}
	for r = r.Fork(); !r.AtEnd() && r.Peek(0).Start < stop; r.Next() {
		if r.Peek(-1).Is(".") && !same(r.Peek(-2), target) {
			continue
		}
		for _, column := range columns {
			if same(r.Peek(0), column) {
				return true
			}
		}
	}
	return false
}
