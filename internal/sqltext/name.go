package sqltext

import "strings"

// Name is the name of an object, maybe with its schema.
type Name struct {
	Schema string // "" if none is written
	Base   string
	Text   string // both as written, with their quotes: `shop."Order"`
	// BaseText is Base as written; statements refer to a table without an alias
	// by it.
	BaseText string
}

// String gives the name for people, without quotes.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Base
	}
	return n.Schema + "." + n.Base
}

// Same says whether two names, by the rules of their dialect, may mean the same
// object: bases are equal, and schemas too where both are written.
func (n Name) Same(d Dialect, other Name) bool {
	equal := func(a, b string) bool { return a == b || d == SQLite && strings.EqualFold(a, b) }
	if n.Schema != "" && other.Schema != "" && !equal(n.Schema, other.Schema) {
		return false
	}
	return equal(n.Base, other.Base)
}

// ParseName reads a name as it may be written in SQL: orders, shop.orders,
// "Order".
func ParseName(d Dialect, text string) (Name, bool) {
	r, err := Read(d, text, 1)
	if err != nil {
		return Name{}, false
	}
	name, found := r.Name()
	return name, found && r.AtEnd()
}

// Identifier gives the name that a token of kind Word or Quoted stands for:
// without quotes, and in PostgreSQL in small letters where it had none.
func Identifier(d Dialect, t Token) string {
	if t.Kind == Quoted {
		return unquote(t.Text)
	}
	if d == Postgres {
		return lower(t.Text)
	}
	return t.Text
}

func unquote(text string) string {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "U&"), "u&")
	if len(text) < 2 {
		return text
	}
	inner, quote := text[1:len(text)-1], text[len(text)-1:]
	if quote == "]" {
		return inner
	}
	return strings.ReplaceAll(inner, quote+quote, quote)
}

// lower folds ASCII letters only, as PostgreSQL does in databases with UTF-8.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}
