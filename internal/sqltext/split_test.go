package sqltext

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var splitCases = []struct {
	name   string
	d      Dialect // 0: both
	script string
	want   []string
}{
	{"two statements", 0, "SELECT 1; SELECT 2", []string{"SELECT 1", "SELECT 2"}},
	{"empty statements", 0, ";; SELECT 1;;\n;", []string{"SELECT 1"}},
	{"only comments", 0, "-- a\n/* b */ ; -- c", nil},
	{"comments stay", 0, "-- why\nSELECT 1 /* ; */ -- end;\n; SELECT 2 -- last", []string{"-- why\nSELECT 1 /* ; */ -- end;", "SELECT 2 -- last"}},
	{"byte-order mark and CRLF", 0, "\uFEFFSELECT 1;\r\nSELECT\r\n2;\r\n", []string{"SELECT 1", "SELECT\r\n2"}},
	{"doubled quotes", 0, `SELECT 'it''s; '';'; SELECT """;"`, []string{`SELECT 'it''s; '';'`, `SELECT """;"`}},
	{"backslash is no escape", 0, `SELECT 'a\'; SELECT 2`, []string{`SELECT 'a\'`, "SELECT 2"}},
	{"E string", Postgres, `SELECT E'a\';', e'\\'; SELECT 2`, []string{`SELECT E'a\';', e'\\'`, "SELECT 2"}},
	{"E at the end of a name", Postgres, `SELECT type'a\'; SELECT 2`, []string{`SELECT type'a\'`, "SELECT 2"}},
	{"continued E string", Postgres, "SELECT E'a' -- c\n 'b\\';'; SELECT 2", []string{"SELECT E'a' -- c\n 'b\\';'", "SELECT 2"}},
	{"same line continues nothing", Postgres, `SELECT E'a' 'b\'; SELECT 2`, []string{`SELECT E'a' 'b\'`, "SELECT 2"}},
	{"other strings", Postgres, `SELECT U&'\0061;', B'1', x'ff', N'\'; SELECT U&"a;b"`, []string{`SELECT U&'\0061;', B'1', x'ff', N'\'`, `SELECT U&"a;b"`}},
	{"no E strings in SQLite", SQLite, `SELECT E'a\'; SELECT 2`, []string{`SELECT E'a\'`, "SELECT 2"}},
	{"SQLite's quotes", SQLite, "SELECT `a;``b`, [c;'d]; SELECT x'00'", []string{"SELECT `a;``b`, [c;'d]", "SELECT x'00'"}},
	{"nested comment", Postgres, "SELECT /* a /* ; */ ; */ 1; SELECT 2", []string{"SELECT /* a /* ; */ ; */ 1", "SELECT 2"}},
	{"comment that does not nest", SQLite, "SELECT /* a /* ; */ 1; SELECT 2", []string{"SELECT /* a /* ; */ 1", "SELECT 2"}},
	{"comment ends at CR", Postgres, "SELECT 1 -- a\r; SELECT 2", []string{"SELECT 1 -- a", "SELECT 2"}},
	{"comment does not end at CR", SQLite, "SELECT 1 -- a\r; SELECT 2", []string{"SELECT 1 -- a\r; SELECT 2"}},
	{"comment in an operator", Postgres, "SELECT 1 +--;\n2; SELECT 3 */* ; */ 4", []string{"SELECT 1 +--;\n2", "SELECT 3 */* ; */ 4"}},
	{"dollar quotes", Postgres, "DO $$ BEGIN; END $$; DO $a$ $$ ; $b$ $a$; SELECT $ä$;$ä$", []string{"DO $$ BEGIN; END $$", "DO $a$ $$ ; $b$ $a$", "SELECT $ä$;$ä$"}},
	{"dollar in a name", Postgres, "SELECT a$b$; SELECT c$b$", []string{"SELECT a$b$", "SELECT c$b$"}},
	{"parameter is no dollar quote", Postgres, "SELECT $1; SELECT $1", []string{"SELECT $1", "SELECT $1"}},
	{"dollar tag with a digit first", Postgres, "SELECT $1$; SELECT $1$", []string{"SELECT $1$", "SELECT $1$"}},
	{"no dollar quotes in SQLite", SQLite, "SELECT $a; SELECT $a", []string{"SELECT $a", "SELECT $a"}},
	{"plpgsql", Postgres, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $fn$\nBEGIN\n  IF a THEN b := 1; END IF;\n  RETURN NEW;\nEND $fn$;\nCREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1; SELECT 2';", []string{
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $fn$\nBEGIN\n  IF a THEN b := 1; END IF;\n  RETURN NEW;\nEND $fn$",
		"CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1; SELECT 2'"}},
	{"BEGIN ATOMIC", Postgres, "CREATE OR REPLACE FUNCTION f(begin int) RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT CASE WHEN true THEN 1 END; SELECT 1 AS end; END; SELECT 2", []string{
		"CREATE OR REPLACE FUNCTION f(begin int) RETURNS int BEGIN ATOMIC INSERT INTO t VALUES (1); SELECT CASE WHEN true THEN 1 END; SELECT 1 AS end; END", "SELECT 2"}},
	{"empty BEGIN ATOMIC", Postgres, "CREATE PROCEDURE p() BEGIN /* ; */ ATOMIC END; SELECT 2", []string{"CREATE PROCEDURE p() BEGIN /* ; */ ATOMIC END", "SELECT 2"}},
	{"rule", Postgres, "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); DELETE FROM v;); SELECT 2", []string{
		"CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); DELETE FROM v;)", "SELECT 2"}},
	{"PostgreSQL trigger has no body", Postgres, "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); SELECT 2", []string{
		"CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", "SELECT 2"}},
	{"SQLite trigger", SQLite, "CREATE TEMP TRIGGER IF NOT EXISTS a AFTER UPDATE OF begin ON t WHEN NEW.begin > 1 BEGIN\n UPDATE t SET x = CASE WHEN y THEN 1 ELSE 2 END;\n SELECT NEW.end; END; SELECT 2", []string{
		"CREATE TEMP TRIGGER IF NOT EXISTS a AFTER UPDATE OF begin ON t WHEN NEW.begin > 1 BEGIN\n UPDATE t SET x = CASE WHEN y THEN 1 ELSE 2 END;\n SELECT NEW.end; END", "SELECT 2"}},
	{"casts and slices", Postgres, "SELECT a[1:2]::text, b::int[]; SELECT 2", []string{"SELECT a[1:2]::text, b::int[]", "SELECT 2"}},
	{"numbers", Postgres, "SELECT 1..2, 1.5e-3, 0xFF, 1_000, .5; SELECT 1e+2", []string{"SELECT 1..2, 1.5e-3, 0xFF, 1_000, .5", "SELECT 1e+2"}},
}

func dialects(d Dialect) []Dialect {
	if d != 0 {
		return []Dialect{d}
	}
	return []Dialect{Postgres, SQLite}
}

func TestSplit(t *testing.T) {
	for _, c := range splitCases {
		for _, d := range dialects(c.d) {
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				statements, err := Split(d, c.script, 1)
				if err != nil {
					t.Fatal(err)
				}
				if got := texts(statements); !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				checkCover(t, d, c.script, statements)
			})
		}
	}
}

func texts(statements []Statement) []string {
	var out []string
	for _, s := range statements {
		out = append(out, s.Text)
	}
	return out
}

// checkCover: the statements stand in the script where they say, and between
// them is nothing but blanks, semicolons and comments.
func checkCover(t *testing.T, d Dialect, script string, statements []Statement) {
	t.Helper()
	end, rest := 0, ""
	for _, s := range statements {
		if s.Offset < end || script[s.Offset:s.Offset+len(s.Text)] != s.Text {
			t.Fatalf("statement %q does not stand at %d", s.Text, s.Offset)
		}
		if line := 1 + strings.Count(script[:s.Offset], "\n"); s.Line != line {
			t.Errorf("statement %q: line %d, want %d", s.Text, s.Line, line)
		}
		rest += script[end:s.Offset] + "\n"
		end = s.Offset + len(s.Text)
	}
	rest += script[end:]
	l := lexer{d: d, src: rest, line: 1}
	for {
		token, err := l.next()
		if err != nil {
			t.Fatalf("between the statements: %v in %q", err, rest)
		}
		if token.Kind == End {
			return
		}
		bom := token.Text == byteOrderMark
		if token.code() && !token.Is(";") && !bom {
			t.Fatalf("%q is in no statement", token.Text)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		d       Dialect
		script  string
		line    int
		message string
	}{
		{"string", 0, "SELECT 1;\n\nSELECT 'a\n; SELECT 2", 3, "string that begins here is not closed"},
		{"quoted name", 0, "SELECT 1;\nSELECT \"a\n;", 2, "quoted name that begins here"},
		{"backtick", SQLite, "SELECT `a", 1, "quoted name that begins here"},
		{"bracket name", SQLite, "SELECT 1;\nSELECT [a", 2, "the name in [ ]"},
		{"comment", 0, "SELECT 1;\n/* a\n", 2, "comment /* that begins here"},
		{"nested comment", Postgres, "/* a /* b */ SELECT 1", 1, "comment /* that begins here"},
		{"dollar quote", Postgres, "\nDO $a$ BEGIN $b$;", 2, "the text in $a$ that begins here"},
		{"continued string", Postgres, "SELECT 'a'\n'b", 2, "string that begins here"},
		{"bracket", 0, "SELECT 1;\nSELECT (1,\n(2); SELECT 3", 2, "the ( that begins here is not closed"},
		{"bracket at the end", 0, "SELECT (1", 1, "the ( that begins here is not closed"},
		{"brackets that balance over a semicolon", 0, "SELECT (1;\nSELECT 2)", 1, "the ( that begins here is not closed"},
		{"closing bracket", 0, "SELECT 1\n)", 2, "there is no ( for this )"},
		{"wrong bracket", Postgres, "SELECT a[1)", 1, "there is no ( for this )"},
		{"BEGIN ATOMIC", Postgres, "CREATE FUNCTION f() RETURNS int\nBEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 1;", 2, "BEGIN ATOMIC that begins here"},
		{"trigger", SQLite, "CREATE TRIGGER a AFTER INSERT ON t\nBEGIN SELECT CASE 1 WHEN 1 THEN 1 END; SELECT 2;", 2, "trigger body that begins here"},
		{"trigger with names like its words", SQLite, "CREATE TRIGGER begin AFTER INSERT ON begin WHEN NEW.begin\nBEGIN SELECT 1;", 2, "trigger body that begins here"},
		{"psql command", Postgres, "SELECT 1;\n\\copy t from 'x'", 2, `\copy is a command of psql`},
		{"pg_dump", Postgres, "\\restrict abc\n", 1, `delete the lines with \restrict`},
		{"gexec", Postgres, "SELECT 'x' \\gexec", 1, `\gexec is a command of psql`},
		{"copy with data", Postgres, "COPY t (a) FROM stdin;\nit's\n\\.\n", 1, "COPY from or to the client"},
		{"NUL", 0, "SELECT 1;\n\x00", 2, "NUL byte"},
		{"UTF-8", 0, "SELECT 1;\nSELECT '\xff'", 2, "not valid UTF-8"},
	} {
		for _, d := range dialects(c.d) {
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				_, err := Split(d, c.script, 1)
				var at *Error
				if !errors.As(err, &at) {
					t.Fatalf("got %v, want an *Error", err)
				}
				if at.Line != c.line || !strings.Contains(at.Message, c.message) {
					t.Errorf("got %v, want line %d with %q", err, c.line, c.message)
				}
			})
		}
	}
}

func TestLines(t *testing.T) {
	statements, err := Split(Postgres, "\n-- one\n\nSELECT\r\n 'ä€', x;\nSELECT 2", 10)
	if err != nil {
		t.Fatal(err)
	}
	first := statements[0]
	if first.Line != 11 || first.CodeLine != 13 || statements[1].Line != 15 {
		t.Errorf("lines %d, %d, %d", first.Line, first.CodeLine, statements[1].Line)
	}
	runes := []rune(first.Text)
	for _, c := range []struct{ position, line int }{
		{0, 11}, {1, 11}, {9, 13}, {slices.Index(runes, 'x') + 1, 14}, {9999, 14},
	} {
		if got := LineAt(first.Text, first.Line, c.position); got != c.line {
			t.Errorf("position %d: line %d, want %d", c.position, got, c.line)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, c := range splitCases {
		f.Add(c.script, c.d == SQLite)
	}
	f.Fuzz(func(t *testing.T, script string, sqlite bool) {
		d := Postgres
		if sqlite {
			d = SQLite
		}
		statements, err := Split(d, script, 1)
		if err != nil {
			return
		}
		checkCover(t, d, script, statements)
		again, err := Split(d, strings.Join(texts(statements), "\n;"), 1)
		if err != nil || !slices.Equal(texts(again), texts(statements)) {
			t.Fatalf("split again: %v, %q, want %q", err, texts(again), texts(statements))
		}
	})
}
