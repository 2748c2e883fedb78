package sqlaction

import (
	"errors"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

func TestParseWhole(t *testing.T) {
	parsed, err := Parse(sqltext.Postgres, store.Section{File: "f.sql", Line: 4, Shape: store.Whole,
		Text: "ALTER TABLE a ADD b int;\n-- why\nCREATE INDEX CONCURRENTLY i ON a (b);\n"})
	if err != nil {
		t.Fatal(err)
	}
	action := parsed.Action.(*Action)
	parts := action.Statements()
	if len(parts) != 2 || parts[1].Text != "-- why\nCREATE INDEX CONCURRENTLY i ON a (b)" || parts[1].Line != 5 {
		t.Errorf("parts %+v", parts)
	}
	if parts[0].Alone || !parts[1].Alone || !action.Each {
		t.Errorf("alone %v, %v, each %v", parts[0].Alone, parts[1].Alone, action.Each)
	}
	if action.Shape() != store.Whole || action.Range != nil || action.Kinds[1].Name().Base != "i" {
		t.Errorf("%+v", action)
	}
}

func TestParseStretched(t *testing.T) {
	section := store.Section{File: "f.sql", Line: 3, Shape: store.Stretched, Table: "orders",
		Text: "-- why\nUPDATE shop.orders o SET currency = cur_code WHERE currency IS NULL -- end\n;"}
	parsed, err := Parse(sqltext.Postgres, section)
	if err != nil {
		t.Fatal(err)
	}
	action := parsed.Action.(*Action)
	want := "-- why\nUPDATE shop.orders o SET currency = cur_code WHERE (currency IS NULL -- end\n) AND (o.id > 1)"
	if got := action.Range.Text("o.id > 1"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if action.Range.Table != "shop.orders" || action.Range.Alias != "o" || action.Range.Sets[0] != "currency" {
		t.Errorf("%+v", action.Range)
	}
	if !parsed.Repeatable || parsed.Match == nil {
		t.Fatalf("repeatable %v, match %v", parsed.Repeatable, parsed.Match)
	}
	match := parsed.Match.(*Action)
	if got, want := match.Parts[0].Text, "SELECT * FROM shop.orders o WHERE (currency IS NULL -- end\n)"; match.Form != store.Query || got != want {
		t.Errorf("match %q", got)
	}
	if got, want := match.Range.Text("o.id > 1"), "SELECT * FROM shop.orders o WHERE (currency IS NULL -- end\n) AND (o.id > 1)"; got != want {
		t.Errorf("match %q", got)
	}
	if got, want := action.Range.Matching("o.id", ""), "SELECT o.id FROM shop.orders o WHERE (currency IS NULL -- end\n)"; got != want {
		t.Errorf("matching %q", got)
	}
}

func TestParseNotRepeatable(t *testing.T) {
	parsed, err := Parse(sqltext.SQLite, store.Section{File: "f.sql", Line: 1, Shape: store.Stretched, Text: "UPDATE t SET a = a + 1"})
	if err != nil || parsed.Repeatable || parsed.Match != nil {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestParseQueries(t *testing.T) {
	parsed, err := Parse(sqltext.SQLite, store.Section{File: "f.sql", Line: 1, Shape: store.Query, Text: "SELECT 1; WITH a AS (SELECT 1) SELECT * FROM a; VALUES (1)"})
	if err != nil || len(parsed.Action.Statements()) != 3 {
		t.Errorf("%+v, %v", parsed, err)
	}
}

func TestKeys(t *testing.T) {
	keyOf := func(section store.Section) string {
		parsed, err := Parse(sqltext.SQLite, section)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.Action.(*Action).Key
	}
	base := store.Section{File: "f.sql", Line: 1, Shape: store.Stretched, Table: "t", Text: "DELETE FROM t WHERE a IN (SELECT 1 FROM u)"}
	moved, other, whole := base, base, base
	moved.Line, moved.File = 7, "g.sql"
	other.Text = "DELETE FROM t"
	whole.Shape = store.Whole
	if keyOf(base) != keyOf(moved) || keyOf(base) == keyOf(other) || keyOf(base) == keyOf(whole) {
		t.Error("keys do not tell actions apart by what they do")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		d           sqltext.Dialect // 0: both
		shape       store.Shape
		table, text string
		line        int
		message     string
	}{
		{0, store.Whole, "", "-- nothing", 10, "no statement"},
		{0, store.Whole, "", "SELECT 1;\n-- x\nCOMMIT;", 12, "delete this statement"},
		{0, store.Whole, "", "SELECT 1;\nSELECT 'a", 11, "not closed"},
		{sqltext.Postgres, store.Whole, "", "COPY a FROM STDIN;\nit's data\n\\.", 10, "INSERT"},
		{sqltext.Postgres, store.Whole, "", "CREATE INDEX CONCURRENTLY ON a (b)", 10, "name the index"},
		{sqltext.Postgres, store.Whole, "", "\\copy a from b", 10, "psql"},
		{sqltext.SQLite, store.Whole, "", "SELECT\n ?", 11, "no parameters"},
		{sqltext.SQLite, store.Whole, "", "DELETE FROM a WHERE :x", 10, "no parameters"},
		{sqltext.SQLite, store.Stretched, "a", "DELETE FROM a WHERE :range AND b = :b", 10, "no parameters"},
		{sqltext.SQLite, store.Whole, "", "ATTACH 'a' AS b", 10, "one store"},
		{0, store.Query, "", "SELECT 1;\nDELETE FROM a", 11, "DELETE is not a query"},
		{sqltext.Postgres, store.Query, "", "WITH a AS (DELETE FROM b RETURNING *) SELECT * FROM a", 10, "this SELECT changes data"},
		{0, store.Query, "", "EXPLAIN SELECT 1", 10, "not a query"},
		{0, store.Stretched, "", "DELETE FROM a;\nDELETE FROM b", 11, "one statement"},
		{0, store.Whole, "a", "SELECT 1;\nDELETE FROM a WHERE :range", 11, "belongs into a backfill"},
		{0, store.Query, "a", "SELECT 1 FROM a WHERE :range(a)", 10, "belongs into a backfill"},
		{0, store.Stretched, "", "VACUUM", 10, "cannot be a backfill"},
		{0, store.Stretched, "b", "-- x\nDELETE FROM a", 11, "table=b"},
		{0, store.Stretched, "", "INSERT INTO a SELECT * FROM b", 10, ":range"},
	} {
		dialects := []sqltext.Dialect{c.d}
		if c.d == 0 {
			dialects = []sqltext.Dialect{sqltext.Postgres, sqltext.SQLite}
		}
		for _, d := range dialects {
			_, err := Parse(d, store.Section{File: "f.sql", Line: 10, Shape: c.shape, Table: c.table, Text: c.text})
			var at *store.SyntaxError
			if !errors.As(err, &at) {
				t.Errorf("%s %q: %v", d, c.text, err)
				continue
			}
			if at.File != "f.sql" || at.Line != c.line || !strings.Contains(at.Message, c.message) {
				t.Errorf("%s %q: %v, want line %d with %q", d, c.text, err, c.line, c.message)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range factCases {
		f.Add(c.text, "", uint8(store.Whole), c.d != sqltext.Postgres)
	}
	f.Fuzz(func(t *testing.T, text, table string, shape uint8, sqlite bool) {
		d := sqltext.Postgres
		if sqlite {
			d = sqltext.SQLite
		}
		section := store.Section{File: "f", Line: 1, Text: text, Table: table, Shape: store.Shape(shape%3 + 1)}
		parsed, err := Parse(d, section)
		var at *store.SyntaxError
		if err != nil && !errors.As(err, &at) {
			t.Fatalf("error without a place: %v", err)
		}
		if err == nil && len(parsed.Action.Statements()) == 0 {
			t.Fatal("an action without statements")
		}
	})
}
