package sqltext

import (
	"slices"
	"strings"
	"testing"
)

var cutCases = []struct {
	name   string
	d      Dialect
	text   string
	table  string // the directive's
	want   string // with R put in
	target string // table as written, and alias
	repeat bool
	match  string // Matching("K", "R"), "" if there is none
}{
	{"update without a condition", 0, "UPDATE t SET a = 1", "",
		"UPDATE t SET a = 1\nWHERE (R)", "t t", false, ""},
	{"comment at the end", 0, "UPDATE t SET a = 1 -- x", "",
		"UPDATE t SET a = 1 -- x\nWHERE (R)", "t t", false, ""},
	{"condition on what is set", 0, "UPDATE t SET a = b, c = 2\nWHERE\n  c IS NULL OR d -- x", "t",
		"UPDATE t SET a = b, c = 2\nWHERE\n  (c IS NULL OR d -- x\n) AND (R)", "t t", true,
		"SELECT K FROM t WHERE (c IS NULL OR d -- x\n) AND (R)"},
	{"condition that what was done still meets", 0, "UPDATE t SET a = a * 100 WHERE a > 0", "",
		"UPDATE t SET a = a * 100 WHERE (a > 0\n) AND (R)", "t t", false, ""},
	{"condition that one term of leaves", 0, "UPDATE t SET a = a * 100 WHERE a IS NULL OR a > 0", "",
		"UPDATE t SET a = a * 100 WHERE (a IS NULL OR a > 0\n) AND (R)", "t t", false, ""},
	{"made of itself, marked by another", 0, "UPDATE t SET a = a * 100, b = 1 WHERE b = 0", "",
		"UPDATE t SET a = a * 100, b = 1 WHERE (b = 0\n) AND (R)", "t t", true, "SELECT K FROM t WHERE (b = 0\n) AND (R)"},
	{"made of itself, not yet so", 0, "UPDATE t SET a = lower(a) WHERE (x OR a > 0) AND a <> lower(a)", "",
		"UPDATE t SET a = lower(a) WHERE ((x OR a > 0) AND a <> lower(a)\n) AND (R)", "t t", true, "SELECT K FROM t WHERE ((x OR a > 0) AND a <> lower(a)\n) AND (R)"},
	{"made of itself, until not null", 0, "UPDATE t SET a = f(a) WHERE y AND (x OR b) AND a->>'x' IS NULL", "",
		"UPDATE t SET a = f(a) WHERE (y AND (x OR b) AND a->>'x' IS NULL\n) AND (R)", "t t", true, "SELECT K FROM t WHERE (y AND (x OR b) AND a->>'x' IS NULL\n) AND (R)"},
	{"condition on something else", 0, "UPDATE t SET a = a + 1 WHERE b", "",
		"UPDATE t SET a = a + 1 WHERE (b\n) AND (R)", "t t", false, ""},
	{"returning", 0, "UPDATE t SET a = 1 WHERE a <> 1 RETURNING id", "",
		"UPDATE t SET a = 1 WHERE (a <> 1\n) AND (R)\nRETURNING id", "t t", true, "SELECT K FROM t WHERE (a <> 1\n) AND (R)"},
	{"returning without a condition", 0, "DELETE FROM t RETURNING id", "",
		"DELETE FROM t\nWHERE (R)\nRETURNING id", "t t", true, "SELECT K FROM t WHERE (R)"},
	{"alias", 0, "UPDATE shop.t AS o SET a = 1 WHERE o.a IS NULL", "t",
		"UPDATE shop.t AS o SET a = 1 WHERE (o.a IS NULL\n) AND (R)", "shop.t o", true, "SELECT K FROM shop.t AS o WHERE (o.a IS NULL\n) AND (R)"},
	{"alias without AS", Postgres, `UPDATE "S"."T" * "o" SET a = 1 WHERE a = 2`, `"S"."T"`,
		`UPDATE "S"."T" * "o" SET a = 1 WHERE (a = 2` + "\n) AND (R)", `"S"."T" "o"`, true,
		`SELECT K FROM "S"."T" * "o" WHERE (a = 2` + "\n) AND (R)"},
	{"ONLY in brackets", Postgres, "DELETE FROM ONLY (t) o WHERE o.a", "",
		"DELETE FROM ONLY (t) o WHERE (o.a\n) AND (R)", "t o", true, "SELECT K FROM ONLY (t) o WHERE (o.a\n) AND (R)"},
	{"FROM", 0, "UPDATE t SET a = u.b FROM u WHERE u.id = t.id AND t.a IS NULL", "",
		"UPDATE t SET a = u.b FROM u WHERE (u.id = t.id AND t.a IS NULL\n) AND (R)", "t t", true, ""},
	{"IS DISTINCT FROM", Postgres, "UPDATE t SET a = (b IS DISTINCT FROM c), d = b IS NOT DISTINCT FROM e WHERE d IS NULL", "",
		"UPDATE t SET a = (b IS DISTINCT FROM c), d = b IS NOT DISTINCT FROM e WHERE (d IS NULL\n) AND (R)", "t t", true,
		"SELECT K FROM t WHERE (d IS NULL\n) AND (R)"},
	{"another table's column of that name", 0, "UPDATE t AS o SET a = u.b FROM u WHERE u.a = o.id", "",
		"UPDATE t AS o SET a = u.b FROM u WHERE (u.a = o.id\n) AND (R)", "t o", false, ""},
	{"USING", Postgres, "DELETE FROM t USING u WHERE u.id = t.id", "",
		"DELETE FROM t USING u WHERE (u.id = t.id\n) AND (R)", "t t", true, ""},
	{"sub-queries", 0, "UPDATE t SET a = (SELECT max(x) FROM u WHERE u.id = t.id) WHERE a IS NULL AND EXISTS (SELECT 1 FROM v WHERE v.id = t.id)", "",
		"UPDATE t SET a = (SELECT max(x) FROM u WHERE u.id = t.id) WHERE (a IS NULL AND EXISTS (SELECT 1 FROM v WHERE v.id = t.id)\n) AND (R)", "t t", true,
		"SELECT K FROM t WHERE (a IS NULL AND EXISTS (SELECT 1 FROM v WHERE v.id = t.id)\n) AND (R)"},
	{"CTE", 0, "WITH s AS (SELECT id FROM t WHERE b), u AS (SELECT 1) UPDATE t SET a = 1 WHERE a = 0 AND id IN (SELECT id FROM s)", "",
		"WITH s AS (SELECT id FROM t WHERE b), u AS (SELECT 1) UPDATE t SET a = 1 WHERE (a = 0 AND id IN (SELECT id FROM s)\n) AND (R)", "t t", true, ""},
	{"words in strings and names", 0, `UPDATE t SET "where" = ' WHERE :range ', b = 'RETURNING' /* WHERE */ WHERE b <> ' :range'`, "",
		`UPDATE t SET "where" = ' WHERE :range ', b = 'RETURNING' /* WHERE */ WHERE (b <> ' :range'` + "\n) AND (R)", "t t", true,
		`SELECT K FROM t WHERE (b <> ' :range'` + "\n) AND (R)"},
	{"several columns at once", Postgres, "UPDATE t SET (a, \"B\") = (SELECT 1, 2) WHERE \"B\" IS NULL", "",
		"UPDATE t SET (a, \"B\") = (SELECT 1, 2) WHERE (\"B\" IS NULL\n) AND (R)", "t t", true, "SELECT K FROM t WHERE (\"B\" IS NULL\n) AND (R)"},
	{"folded column", 0, "UPDATE t SET Cur = 1 WHERE cur IS NULL", "",
		"UPDATE t SET Cur = 1 WHERE (cur IS NULL\n) AND (R)", "t t", true, "SELECT K FROM t WHERE (cur IS NULL\n) AND (R)"},
	{"a condition that goes on to hold", 0, "UPDATE t SET a = a * 100, unit = 'c' WHERE unit IS NOT NULL AND unit = 'c' AND unit <> 'x'", "",
		"UPDATE t SET a = a * 100, unit = 'c' WHERE (unit IS NOT NULL AND unit = 'c' AND unit <> 'x'\n) AND (R)", "t t", false, ""},
	{"a condition that holds no more", 0, "UPDATE t SET a = a * 100, unit = 'c' WHERE unit IS NOT NULL AND unit <> 'c'", "",
		"UPDATE t SET a = a * 100, unit = 'c' WHERE (unit IS NOT NULL AND unit <> 'c'\n) AND (R)", "t t", true,
		"SELECT K FROM t WHERE (unit IS NOT NULL AND unit <> 'c'\n) AND (R)"},
	{"SQLite's own words", SQLite, "UPDATE OR IGNORE main.t AS o INDEXED BY i SET a = 1 WHERE a = 0", "T",
		"UPDATE OR IGNORE main.t AS o INDEXED BY i SET a = 1 WHERE (a = 0\n) AND (R)", "main.t o", true, "SELECT K FROM main.t AS o WHERE (a = 0\n) AND (R)"},
	{"SQLite delete", SQLite, "DELETE FROM [my t] NOT INDEXED WHERE a", "",
		"DELETE FROM [my t] NOT INDEXED WHERE (a\n) AND (R)", "[my t] [my t]", true, "SELECT K FROM [my t] WHERE (a\n) AND (R)"},
	{"marker", 0, "INSERT INTO u SELECT * FROM t WHERE :range AND x", "shop.t",
		"INSERT INTO u SELECT * FROM t WHERE (R) AND x", "shop.t t", false, ""},
	{"marker with alias", 0, "INSERT INTO u SELECT x.* FROM t x JOIN v ON ( :range(x) ) WHERE 1=1 ON CONFLICT (id) DO NOTHING", "t",
		"INSERT INTO u SELECT x.* FROM t x JOIN v ON ( (R) ) WHERE 1=1 ON CONFLICT (id) DO NOTHING", "t x", true, ""},
	{"conflict that updates", 0, "INSERT INTO u SELECT * FROM t WHERE :range ON CONFLICT (id) DO UPDATE SET n = n + 1", "t",
		"INSERT INTO u SELECT * FROM t WHERE (R) ON CONFLICT (id) DO UPDATE SET n = n + 1", "t t", false, ""},
	{"SQLite insert or ignore", SQLite, "INSERT OR IGNORE INTO u SELECT * FROM t WHERE :range", "t",
		"INSERT OR IGNORE INTO u SELECT * FROM t WHERE (R)", "t t", true, ""},
	{"marker in an update", 0, "UPDATE t SET a = 1 WHERE a IS NULL AND id IN (SELECT id FROM big b WHERE :range(b))", "big",
		"UPDATE t SET a = 1 WHERE a IS NULL AND id IN (SELECT id FROM big b WHERE (R))", "big b", false, ""},
	{"marker in a CTE", Postgres, "WITH moved AS (DELETE FROM a WHERE :range RETURNING *) INSERT INTO b SELECT * FROM moved", "a",
		"WITH moved AS (DELETE FROM a WHERE (R) RETURNING *) INSERT INTO b SELECT * FROM moved", "a a", false, ""},
	{"no markers", Postgres, "UPDATE t SET a = b[1:range], c = d::range, e = b[:range], f = json_object('k':range) WHERE a IS NULL", "",
		"UPDATE t SET a = b[1:range], c = d::range, e = b[:range], f = json_object('k':range) WHERE (a IS NULL\n) AND (R)", "t t", true,
		"SELECT K FROM t WHERE (a IS NULL\n) AND (R)"},
	{"dollar quotes", Postgres, "UPDATE t SET a = $$ WHERE :range $$ WHERE a = $x$ RETURNING $x$ RETURNING *", "",
		"UPDATE t SET a = $$ WHERE :range $$ WHERE (a = $x$ RETURNING $x$\n) AND (R)\nRETURNING *", "t t", true,
		"SELECT K FROM t WHERE (a = $x$ RETURNING $x$\n) AND (R)"},
}

func TestRanged(t *testing.T) {
	for _, c := range cutCases {
		for _, d := range dialects(c.d) {
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				cut, err := Ranged(one(t, d, c.text), c.table)
				if err != nil {
					t.Fatal(err)
				}
				if got := cut.Text("R"); got != c.want {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				if got := cut.Table.Text + " " + cut.Alias; got != c.target {
					t.Errorf("target %q, want %q", got, c.target)
				}
				if cut.Repeatable != c.repeat {
					t.Errorf("repeatable %v", cut.Repeatable)
				}
				if got := cut.Matching("K", "R"); got != c.match {
					t.Errorf("matching %q, want %q", got, c.match)
				}
				checkCut(t, d, c.text, cut)
			})
		}
	}
}

// checkCut: the restricted statement is still one statement. Its tokens are
// those of the first one in order, strings and comments included, with nothing
// but the condition put in.
func checkCut(t *testing.T, d Dialect, text string, cut *Cut) {
	t.Helper()
	const cond = "(o.a, o.b) >= (1, 'x;')"
	around := map[cutMode][2]string{atMarker: {"(", ")"}, withNone: {"WHERE (", ")"}, withOwn: {"(" + cut.own + "\n) AND (", ")"}}[cut.mode]
	join := func(parts ...string) (out []string) {
		for _, part := range parts {
			out = append(out, tokens(t, d, part)...)
		}
		return out
	}
	want := join(cut.before, around[0], cond, around[1], cut.after)
	if got := join(one(t, d, cut.Text(cond)).Text); !slices.Equal(got, want) {
		t.Fatalf("tokens %q\nwant   %q", got, want)
	}
	original := join(cut.before, cut.own, cut.after)
	if cut.mode == atMarker {
		original = join(cut.before, text[len(cut.before):len(text)-len(cut.after)], cut.after)
	} else if whole := cut.Text(""); whole != text {
		t.Errorf("without restriction: %q", whole)
	}
	if got := join(text); !slices.Equal(original, got) {
		t.Fatalf("the pieces have %q\nthe statement %q", original, got)
	}
}

// tokens gives the texts of all tokens but blanks.
func tokens(t *testing.T, d Dialect, text string) []string {
	t.Helper()
	var out []string
	for l := (lexer{d: d, src: text, line: 1}); ; {
		token, err := l.next()
		if err != nil {
			t.Fatal(err)
		}
		if token.Kind == End {
			return out
		}
		if token.Kind != Blank {
			out = append(out, token.Text)
		}
	}
}

func TestMarkerWithoutRestriction(t *testing.T) {
	cut, err := Ranged(one(t, SQLite, "INSERT INTO u SELECT * FROM t WHERE :Range(t)"), "t")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cut.Text(""), "INSERT INTO u SELECT * FROM t WHERE (1=1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAssignedColumns(t *testing.T) {
	for text, want := range map[string][]string{
		`UPDATE t SET a = 1, "B c" = f(x, y), (d, e) = (SELECT 1, 2), F.g = 1, h[1] = 2`: {"a", "B c", "d", "e", "f", "h"},
		`UPDATE t SET a = 1, b = 2 FROM u WHERE x`:                                       {"a", "b"},
		`DELETE FROM t`: nil,
	} {
		cut, err := Ranged(one(t, Postgres, text), "")
		if err != nil || !slices.Equal(cut.Sets, want) {
			t.Errorf("%q: %v, %v", text, cut.Sets, err)
		}
	}
}

func TestRangedRefuses(t *testing.T) {
	for _, c := range []struct {
		d             Dialect
		table         string
		text, message string
	}{
		{0, "", "INSERT INTO u SELECT * FROM t", "write :range"},
		{0, "", "INSERT INTO u VALUES (':range') -- :range", "write :range"},
		{0, "", "CREATE TABLE t (a int)", "write :range"},
		{0, "", "INSERT INTO u SELECT * FROM t WHERE :range", "table=NAME"},
		{0, "t", "INSERT INTO u SELECT * FROM t WHERE :range AND (:range)", "a second time"},
		{0, "t", "INSERT INTO u SELECT * FROM t WHERE :range(1)", ":range(alias)"},
		{0, "u", "UPDATE t SET a = 1", "the directive says table=u"},
		{0, "x.t", "UPDATE y.t SET a = 1", "the directive says table=x.t"},
		{0, "a b", "UPDATE t SET a = 1", "is not the name of a table"},
		{0, "", "UPDATE t SET a = 1 WHERE CURRENT OF c", "CURRENT OF"},
		{SQLite, "", "DELETE FROM t WHERE a ORDER BY b LIMIT 5", "ORDER"},
		{SQLite, "", "UPDATE t SET a = 1 LIMIT 5", "LIMIT"},
		{0, "", "UPDATE t + 1", "cannot be made out"},
		{Postgres, "", "WITH x AS (DELETE FROM u RETURNING id) UPDATE t SET a = 1 WHERE id IN (SELECT id FROM x)", "a query of WITH changes data"},
	} {
		for _, d := range dialects(c.d) {
			_, err := Ranged(one(t, d, c.text), c.table)
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%s %q: %v, want %q", d, c.text, err, c.message)
			}
		}
	}
}

func FuzzRanged(f *testing.F) {
	for _, c := range cutCases {
		f.Add(c.text, c.table, c.d == SQLite)
	}
	f.Fuzz(func(t *testing.T, text, table string, sqlite bool) {
		d := Postgres
		if sqlite {
			d = SQLite
		}
		statements, err := Split(d, text, 1)
		if err != nil || len(statements) != 1 {
			return
		}
		cut, err := Ranged(statements[0], table)
		if err != nil {
			return
		}
		checkCut(t, d, statements[0].Text, cut)
		if match := cut.Matching("K", "R"); match != "" && !one(t, d, match).Reads {
			t.Fatalf("%q is no query", match)
		}
	})
}
