package sqltext

import (
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		d    Dialect
		text string
		want string // with blanks between the tokens
	}{
		{Postgres, "a=-1", "a = - 1"},
		{Postgres, "a@-1", "a @- 1"},
		{Postgres, "1..2", "1 . .2"},
		{0, "1.5e-3-2", "1.5e-3 - 2"},
		{0, "0xe-1", "0xe - 1"},
		{0, ".5+.5", ".5 + .5"},
		{Postgres, "a::b:=c:d", "a :: b := c :d"},
		{Postgres, "a->>'b'||c", "a ->> 'b' || c"},
		{SQLite, "a->>'b'||-c", "a ->> 'b' || - c"},
		{SQLite, "?1+?@a:b$c", "?1 + ? @a :b$c"},
		{Postgres, "$1+a$1", "$1 + a$1"},
		{Postgres, "a*/* b */c", "a * /* b */ c"},
		{Postgres, "a[1:2]", "a [ 1 : 2 ]"},
	} {
		for _, d := range dialects(c.d) {
			if got := tokens(t, d, c.text); strings.Join(got, " ") != c.want {
				t.Errorf("%s %q: %q, want %q", d, c.text, got, c.want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		d            Dialect
		text         string
		schema, base string
	}{
		{Postgres, "Shop.Orders", "shop", "orders"},
		{Postgres, `db."A ""b"."C.d"`, `A "b`, "C.d"},
		{Postgres, `U&"x"`, "", "x"},
		{SQLite, "Main.[a ]", "Main", "a "},
		{SQLite, "`a``b`", "", "a`b"},
	} {
		name, ok := ParseName(c.d, c.text)
		if !ok || name.Schema != c.schema || name.Base != c.base || name.Text != c.text {
			t.Errorf("%s %q: %+v, %v", c.d, c.text, name, ok)
		}
	}
	for _, text := range []string{"", "a b", "a.", "1", "'a", "a;"} {
		if name, ok := ParseName(Postgres, text); ok {
			t.Errorf("%q is read as %+v", text, name)
		}
	}
}
