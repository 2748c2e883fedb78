package sqltext

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// These tests ask SQLite itself.

const nasty = "\uFEFF" + `-- a script; with everything
CREATE TABLE t (id INTEGER PRIMARY KEY, "a;b" TEXT, [c] TEXT DEFAULT ';', ` + "`d`" + ` TEXT, x INT); /* ; not /* nested */
INSERT INTO t VALUES (1, 'it''s; ''', 'a\', "d", 0x10), (2, ';', x'3b', '--', 1e-3);;
CREATE TRIGGER g1 AFTER UPDATE OF x ON t WHEN NEW.x > 1 BEGIN
  -- END;
  UPDATE t SET d = CASE WHEN NEW.x > 2 THEN 'END;' ELSE 'begin' END WHERE id = NEW.id;
  INSERT INTO log SELECT 'x;' || NEW.id FROM (SELECT 1 AS "end");
END;
CREATE TABLE log (m TEXT);
CREATE TEMPORARY TRIGGER g2 BEFORE DELETE ON t FOR EACH ROW BEGIN SELECT RAISE(IGNORE); END;
CREATE VIEW v AS SELECT CASE x WHEN 1 THEN 2 END AS y FROM t;
UPDATE t SET x = 5 WHERE id = 2; DELETE FROM t WHERE id = 1;
SELECT 1 -- no semicolon at the end`

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// rows gives the answer of a query as lines.
func rows(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	answer, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer answer.Close()
	columns, err := answer.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for answer.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := answer.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(values...))
	}
	if err := answer.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestSplitAsSQLiteDoes(t *testing.T) {
	whole, split := open(t), open(t)
	run(t, whole, nasty)
	statements, err := Split(SQLite, nasty, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(statements) != 9 {
		t.Errorf("%d statements: %q", len(statements), texts(statements))
	}
	for _, s := range statements {
		run(t, split, s.Text)
	}
	for _, query := range []string{"SELECT type, name, sql FROM sqlite_schema", "SELECT * FROM t", "SELECT * FROM log", "SELECT * FROM v", "SELECT name, sql FROM sqlite_temp_schema"} {
		got, want := rows(t, split, query), rows(t, whole, query)
		if !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

// TestRangesAsSQLiteDoes: a statement performed range by range does what it
// does at once, and then nothing matches any more.
func TestRangesAsSQLiteDoes(t *testing.T) {
	const schema = `CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT);
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO t SELECT i, CASE WHEN i % 3 THEN i END, i FROM n;
		CREATE TABLE u (id INTEGER PRIMARY KEY, a INT); INSERT INTO u SELECT id, a FROM t WHERE id % 4 = 0`
	for _, text := range []string{
		"UPDATE t SET a = b WHERE a IS NULL OR a > 10 -- c",
		"UPDATE t SET a = 1",
		"UPDATE OR IGNORE main.t AS o SET a = (SELECT max(a) FROM u WHERE u.id < o.id)\nWHERE o.a IS NULL AND b > 5 RETURNING id",
		"WITH s AS (SELECT id FROM t WHERE b % 2) UPDATE t SET a = -1 WHERE id IN (SELECT id FROM s) AND a > 0",
		"UPDATE t SET a = u.a FROM u WHERE u.id = t.id AND t.a IS NOT u.a",
		"DELETE FROM t WHERE a IS NULL OR id IN (SELECT id FROM u)",
		"DELETE FROM t RETURNING id",
		"INSERT INTO u SELECT id, b FROM t WHERE :range ON CONFLICT (id) DO NOTHING",
		"INSERT OR IGNORE INTO u SELECT id, b FROM t WHERE a > 3 AND :range(t)",
	} {
		t.Run(text, func(t *testing.T) {
			cut, err := Ranged(one(t, SQLite, text), "t")
			if err != nil {
				t.Fatal(err)
			}
			whole, ranges := open(t), open(t)
			run(t, whole, schema)
			run(t, ranges, schema)
			run(t, whole, cut.Text(""))
			for _, cond := range []string{"# < 7", "# >= 7 AND # < 13", "# >= 13"} {
				run(t, ranges, cut.Text(strings.ReplaceAll(cond, "#", cut.Alias+".id")))
			}
			for _, query := range []string{"SELECT * FROM t ORDER BY id", "SELECT * FROM u ORDER BY id"} {
				if got, want := rows(t, ranges, query), rows(t, whole, query); !slices.Equal(got, want) {
					t.Errorf("%s: got %q, want %q", query, got, want)
				}
			}
			if match := cut.Matching("count(*)", cut.Alias+".id > 0"); match != "" && !strings.Contains(text, "a > 10") {
				if left := rows(t, ranges, match); left[0] != "0" {
					t.Errorf("%s: %q", match, left)
				}
			}
		})
	}
}

// TestReservedInSQLite: what the range is found by cannot be a name without
// quotes, but END and BEGIN can.
func TestReservedInSQLite(t *testing.T) {
	db := open(t)
	for _, word := range []string{"where", "returning", "from", "set", "limit", "order"} {
		if _, err := db.Exec("CREATE TABLE r_" + word + " (" + word + " int)"); err == nil {
			t.Errorf("%s may be a name", word)
		}
	}
	run(t, db, "CREATE TABLE names (begin int, end int)")
}
