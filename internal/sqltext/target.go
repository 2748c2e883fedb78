package sqltext

// target is the table that an UPDATE or DELETE changes, as it stands in the
// statement.
type target struct {
	table Name
	alias Token  // as written; of kind End if there is none
	from  string // all of it, as it may stand behind FROM: "ONLY shop.orders AS o"
}

// readTarget reads the table behind UPDATE or DELETE FROM, with its alias.
func readTarget(r *Reader, text string) (target, bool) {
	if r.Take("OR") {
		r.Next()
	}
	r.Take("FROM")
	start := r.Peek(0).Start
	bracket := r.Take("ONLY") && r.Take("(")
	name, found := r.Name()
	if !found || bracket && !r.Take(")") {
		return target{}, false
	}
	r.Take("*")
	t := target{table: name}
	as := r.Take("AS")
	if next := r.Peek(0); as || aliasWithoutAs(r.d, next) {
		if _, _, found = r.Identifier(); !found {
			return target{}, false
		}
		t.alias = next
	}
	t.from = text[start:r.Peek(-1).Stop()]
	if r.Take("INDEXED", "BY") {
		r.Next()
	} else {
		r.Take("NOT", "INDEXED")
	}
	return t, true
}

// aliasWithoutAs: only PostgreSQL knows it, and its key words that may follow a
// target are reserved, but for SET.
func aliasWithoutAs(d Dialect, t Token) bool {
	if d != Postgres {
		return false
	}
	return t.Kind == Quoted || t.Kind == Word && !t.IsAny("SET", "FROM", "USING", "WHERE", "RETURNING")
}

// reference is how conditions refer to the target's columns.
func (t target) reference() string {
	if t.alias.Kind != End {
		return t.alias.Text
	}
	return t.table.BaseText
}

// name is the same without quotes.
func (t target) name(d Dialect) string {
	if t.alias.Kind != End {
		return Identifier(d, t.alias)
	}
	return t.table.Base
}
