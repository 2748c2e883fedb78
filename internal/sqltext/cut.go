package sqltext

import "strings"

// Cut is a statement that can be restricted to a range of one table's rows.
type Cut struct {
	Table Name   // whose rows the range is of
	Alias string // the name by which a condition refers to Table's columns, as written
	// Repeatable: run again it does nothing to the rows it has done. True for
	// DELETE, for an INSERT with ON CONFLICT DO NOTHING, and for an UPDATE
	// whose condition asks for a column that it sets, see settles.
	Repeatable bool
	Sets       []string // the columns that an UPDATE sets

	before, after string // the statement around the place of the condition
	own           string // the statement's own condition there
	mode          cutMode
	from          string // for Matching; "" if it cannot be told
	text          string
}

// blanks are those that both dialects know.
const blanks = " \t\r\n\f"

// cutMode says how a condition is put in.
type cutMode uint8

const (
	atMarker cutMode = iota + 1 // instead of :range
	withOwn                     // beside the statement's own condition
	withNone                    // as its first condition
)

// Ranged finds out where a statement can be restricted. table is the target
// that the author named, "" if none. The error is an *Error.
func Ranged(s Statement, table string) (*Cut, error) {
	markers, err := s.markers()
	if err != nil {
		return nil, err
	}
	switch {
	case len(markers) > 1:
		return nil, errorAt(markers[1].line, ":range stands here a second time: a statement is cut by one range, so write it once")
	case len(markers) == 1:
		return s.cutAtMarker(markers[0], table)
	case s.Verb != "UPDATE" && s.Verb != "DELETE":
		return nil, errorAt(s.CodeLine, "only one UPDATE or DELETE is cut into ranges by itself: write :range (or :range(alias)) as a condition where %s reads its rows (after WHERE, AND, OR, ON or a bracket), and table= with the name of the table", s.Verb)
	}
	return s.cutOwn(table)
}

// cutOwn cuts an UPDATE or DELETE at its own condition.
func (s Statement) cutOwn(table string) (*Cut, error) {
	r := s.Reader()
	plain := true
	if s.With {
		plain = false
		if skipWith(r) {
			return nil, errorAt(s.CodeLine, "a query of WITH changes data, and would change all of it with each range: write :range in it, or split the statement")
		}
	}
	r.Next()
	t, found := readTarget(r, s.Text)
	if !found || s.Verb == "UPDATE" && !r.Is("SET") {
		return nil, errorAt(s.CodeLine, "the table that this %s changes cannot be made out", s.Verb)
	}
	if err := s.checkTarget(t.table, table); err != nil {
		return nil, err
	}
	c := &Cut{Table: t.table, Alias: t.reference(), text: s.Text, Repeatable: s.Verb == "DELETE"}
	others := r.Fork()
	if others.Find("FROM", "USING", "WHERE", "RETURNING") && others.Peek(0).IsAny("FROM", "USING") {
		plain = false
	}
	if err := c.place(s, t, r); err != nil {
		return nil, err
	}
	if plain && c.Repeatable {
		c.from = t.from
	}
	return c, nil
}

// place finds the condition. The reader stands behind the target.
func (c *Cut) place(s Statement, t target, r *Reader) error {
	var set []assignment
	if s.Verb == "UPDATE" {
		set = assignments(r.Fork())
	}
	for _, a := range set {
		c.Sets = append(c.Sets, a.columns...)
	}
	if tail := r.Fork(); tail.Find("ORDER", "LIMIT") {
		return errorAt(tail.Peek(0).Line, "%s with %s cannot be cut into ranges: delete it, the range limits the rows", s.Verb, strings.ToUpper(tail.Peek(0).Text))
	}
	stop := len(s.Text)
	if tail := r.Fork(); tail.Find("RETURNING") {
		stop = tail.Peek(0).Start
		c.after = s.Text[stop:]
	}
	if !r.Find("WHERE", "RETURNING") || r.Is("RETURNING") {
		c.mode, c.before = withNone, strings.TrimRight(s.Text[:stop], blanks)
		return nil
	}
	where := r.Next()
	if r.Is("CURRENT", "OF") {
		return errorAt(where.Line, "WHERE CURRENT OF a cursor cannot be cut into ranges: write the condition")
	}
	own := strings.TrimRight(s.Text[where.Stop():stop], blanks)
	lead := len(own) - len(strings.TrimLeft(own, blanks))
	c.mode, c.before, c.own = withOwn, s.Text[:where.Stop()+lead], own[lead:]
	c.Repeatable = c.Repeatable || settles(set, r, t.name(s.d), stop)
	return nil
}

func (s Statement) checkTarget(target Name, table string) error {
	if table == "" {
		return nil
	}
	named, ok := ParseName(s.d, table)
	if !ok {
		return errorAt(s.CodeLine, "table=%s is not the name of a table", table)
	}
	if !named.Same(s.d, target) {
		return errorAt(s.CodeLine, "the directive says table=%s, but the statement changes %s: name that table, or leave table= away", table, target.Text)
	}
	return nil
}

// Text gives the statement restricted to the rows for which cond holds; without
// a restriction where cond is empty.
func (c *Cut) Text(cond string) string {
	switch {
	case c.mode == atMarker && cond == "":
		return c.before + "(1=1)" + c.after
	case cond == "":
		return c.text
	case c.mode == atMarker:
		return c.before + "(" + cond + ")" + c.after
	case c.mode == withNone:
		return spaced(c.before+"\nWHERE ("+cond+")", c.after)
	}
	return spaced(c.before+"("+c.own+"\n) AND ("+cond+")", c.after)
}

func spaced(text, after string) string {
	if after == "" {
		return text
	}
	return text + "\n" + after
}

// Matching gives a query for columns (a list as it stands behind SELECT) of the
// rows that the statement would still change and for which cond holds; "" if
// that cannot be told from the text.
func (c *Cut) Matching(columns, cond string) string {
	if c.from == "" {
		return ""
	}
	text := "SELECT " + columns + " FROM " + c.from
	var conditions []string
	if c.mode == withOwn {
		conditions = append(conditions, "("+c.own+"\n)")
	}
	if cond != "" {
		conditions = append(conditions, "("+cond+")")
	}
	if len(conditions) == 0 {
		return text
	}
	return text + " WHERE " + strings.Join(conditions, " AND ")
}
