package sqltext

import (
	"strings"
	"testing"
)

func one(t *testing.T, d Dialect, text string) Statement {
	t.Helper()
	statements, err := Split(d, text, 1)
	if err != nil || len(statements) != 1 {
		t.Fatalf("split %q: %d statements, %v", text, len(statements), err)
	}
	return statements[0]
}

func TestVerb(t *testing.T) {
	for _, c := range []struct {
		d     Dialect
		text  string
		want  string // verb, object and first name
		reads bool
	}{
		{0, "/* x */ select 1", "SELECT", true},
		{0, "(SELECT 1) UNION (SELECT 2)", "SELECT", true},
		{0, "VALUES (1)", "VALUES", true},
		{Postgres, "TABLE t", "TABLE", true},
		{0, "WITH a AS (SELECT 1), b (x) AS (SELECT 2) SELECT * FROM a", "SELECT", true},
		{Postgres, "WITH RECURSIVE a AS MATERIALIZED (SELECT 1) SEARCH DEPTH FIRST BY x, y SET o SELECT 1", "SELECT", true},
		{Postgres, "WITH a AS NOT MATERIALIZED (DELETE FROM t RETURNING *) SELECT * FROM a", "SELECT", false},
		{Postgres, "WITH a AS (WITH b AS (SELECT 1) UPDATE t SET x = 1 RETURNING 1) SELECT 1", "SELECT", false},
		{Postgres, "SELECT a INTO u FROM t", "SELECT", false},
		{Postgres, "SELECT 1 AS into FROM t", "SELECT", true},
		{Postgres, "SELECT (SELECT 1 AS into), 'INTO' FROM t", "SELECT", true},
		{0, "WITH a AS (SELECT 1) UPDATE t SET x = 1", "UPDATE t", false},
		{Postgres, `UPDATE ONLY shop."Or""der" SET x = 1`, `UPDATE shop.Or"der`, false},
		{SQLite, "UPDATE OR IGNORE main.[a b] SET x = 1", "UPDATE main.a b", false},
		{0, "DELETE FROM T1", "DELETE T1", false},
		{0, "INSERT INTO t VALUES (1)", "INSERT t", false},
		{SQLite, "REPLACE INTO t VALUES (1)", "REPLACE t", false},
		{Postgres, "TRUNCATE TABLE ONLY a, b CASCADE", "TRUNCATE a", false},
		{0, "CREATE TABLE IF NOT EXISTS a.b (c int)", "CREATE TABLE a.b", false},
		{Postgres, "CREATE UNLOGGED TABLE t AS SELECT 1", "CREATE TABLE t", false},
		{Postgres, "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE FUNCTION f", false},
		{Postgres, "DROP MATERIALIZED VIEW IF EXISTS v, w", "DROP MATERIALIZED VIEW v", false},
		{Postgres, "COMMENT ON TABLE t IS 'x'", "COMMENT TABLE t", false},
		{Postgres, "ALTER TABLE IF EXISTS ONLY t ADD a int", "ALTER TABLE t", false},
		{SQLite, "CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE TABLE t", false},
		{SQLite, "PRAGMA main.user_version = 3", "PRAGMA main.user_version", false},
		{0, "EXPLAIN SELECT 1", "EXPLAIN", false},
	} {
		for _, d := range dialects(c.d) {
			s := one(t, d, c.text)
			got := strings.TrimSpace(s.Verb + " " + strings.TrimSpace(s.Object+" "+s.Name().String()))
			want := c.want
			if d == Postgres && c.text == "DELETE FROM T1" {
				want = "DELETE t1"
			}
			if got != want || s.Reads != c.reads {
				t.Errorf("%s %q: got %q reads %v, want %q reads %v", d, c.text, got, s.Reads, want, c.reads)
			}
		}
	}
}

func TestIndexes(t *testing.T) {
	s := one(t, Postgres, `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "A b" ON ONLY shop.Orders USING btree (x)`)
	if !s.Unique || !s.Concurrently || !s.IfNotExists || s.Name().Base != "A b" || s.Table.String() != "shop.orders" {
		t.Errorf("%+v", s)
	}
	s = one(t, Postgres, "CREATE INDEX ON orders (x)")
	if len(s.Names) != 0 || s.Table.Base != "orders" || s.Concurrently {
		t.Errorf("%+v", s)
	}
	s = one(t, Postgres, "DROP INDEX CONCURRENTLY IF EXISTS shop.a, b CASCADE")
	if !s.Concurrently || !s.IfExists || len(s.Names) != 2 || s.Names[0].String() != "shop.a" || !s.Cascade {
		t.Errorf("%+v", s)
	}
	s = one(t, Postgres, "REINDEX (VERBOSE, CONCURRENTLY) TABLE shop.t")
	if !s.Concurrently || s.Object != "TABLE" || s.Name().String() != "shop.t" {
		t.Errorf("%+v", s)
	}
	s = one(t, Postgres, "ALTER TABLE a DETACH PARTITION b CONCURRENTLY")
	if !s.Concurrently || s.Table.Base != "a" || s.Partition.Base != "b" {
		t.Errorf("%+v", s)
	}
	s = one(t, Postgres, "CREATE RULE r AS ON INSERT TO shop.t DO INSTEAD NOTHING")
	if s.Name().Base != "r" || s.Table.String() != "shop.t" {
		t.Errorf("%+v", s)
	}
	s = one(t, SQLite, "CREATE TRIGGER g AFTER UPDATE OF a ON [t 1] BEGIN SELECT 1; END")
	if s.Name().Base != "g" || s.Table.Base != "t 1" {
		t.Errorf("%+v", s)
	}
}

func TestAlone(t *testing.T) {
	for text, want := range map[string]bool{
		"CREATE INDEX CONCURRENTLY i ON t (a)":               true,
		"CREATE INDEX i ON t (a)":                            false,
		"DROP INDEX CONCURRENTLY i":                          true,
		"DROP INDEX i":                                       false,
		"REINDEX INDEX CONCURRENTLY i":                       true,
		"REINDEX INDEX i":                                    false,
		"REINDEX DATABASE d":                                 true,
		"REINDEX SYSTEM d":                                   true,
		"REINDEX (CONCURRENTLY) TABLE t":                     true,
		"VACUUM (ANALYZE) t":                                 true,
		"ANALYZE t":                                          false,
		"CREATE DATABASE d":                                  true,
		"DROP DATABASE d":                                    true,
		"ALTER DATABASE d SET search_path = a":               false,
		"ALTER DATABASE d SET TABLESPACE s":                  true,
		"CREATE TABLESPACE s LOCATION '/x'":                  true,
		"DROP TABLESPACE s":                                  true,
		"ALTER SYSTEM SET a = 1":                             true,
		"ALTER TABLE a DETACH PARTITION b CONCURRENTLY":      true,
		"ALTER TABLE a DETACH PARTITION b":                   false,
		"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p": true,
		"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)":     false,
		"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)": false,
		"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (binary = true)":       true,
		"DROP SUBSCRIPTION s":                      true,
		"ALTER SUBSCRIPTION s REFRESH PUBLICATION": true,
		"ALTER SUBSCRIPTION s DISABLE":             false,
		"CLUSTER":                                  true,
		"CLUSTER (VERBOSE)":                        true,
		"CLUSTER t USING i":                        false,
		"REFRESH MATERIALIZED VIEW CONCURRENTLY v": false,
		"ALTER TYPE e ADD VALUE 'x'":               false,
		"CREATE TABLE concurrently_done (a int)":   false,
		"CALL p()":                                 false,
	} {
		if s := one(t, Postgres, text); (s.Alone != "") != want {
			t.Errorf("%q: alone %q, want %v", text, s.Alone, want)
		}
	}
	for text, want := range map[string]bool{
		"VACUUM":                      true,
		"PRAGMA journal_mode = WAL":   true,
		"PRAGMA main.Auto_Vacuum = 1": true,
		"PRAGMA user_version = 1":     false,
		"CREATE INDEX i ON t (a)":     false,
	} {
		if s := one(t, SQLite, text); (s.Alone != "") != want {
			t.Errorf("%q: alone %q, want %v", text, s.Alone, want)
		}
	}
}

func TestRefused(t *testing.T) {
	refused := []string{
		"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "/* x */ begin",
	}
	for _, text := range append([]string{
		"START TRANSACTION", "ABORT", "PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'",
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET LOCAL TRANSACTION READ ONLY",
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "DISCARD ALL", "RESET ALL", "LISTEN x", "UNLISTEN *",
		"CREATE INDEX CONCURRENTLY ON t (a)", "SET standard_conforming_strings = off", "SET standard_conforming_strings TO 'off'",
	}, refused...) {
		if one(t, Postgres, text).Refused == "" {
			t.Errorf("%q is not refused", text)
		}
	}
	for _, text := range append([]string{"ATTACH 'x' AS y", "DETACH y", "PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys(0)", ".read x"}, refused...) {
		if one(t, SQLite, text).Refused == "" {
			t.Errorf("%q is not refused", text)
		}
	}
	for _, text := range []string{
		"PREPARE a AS SELECT 1", "SET search_path = a", "RESET search_path", "SET CONSTRAINTS ALL DEFERRED", "CREATE INDEX ON t (a)",
		"SET standard_conforming_strings = on", "COPY t FROM '/tmp/x'", "COPY (SELECT 1) TO PROGRAM 'cat'", "NOTIFY a", `SELECT "commit" FROM t`,
		"SET LOCAL lock_timeout = '1s'",
	} {
		if why := one(t, Postgres, text).Refused; why != "" {
			t.Errorf("%q is refused: %s", text, why)
		}
	}
	if why := one(t, SQLite, "PRAGMA foreign_keys").Refused; why != "" {
		t.Error(why)
	}
	for _, text := range []string{"COPY t FROM STDIN", "COPY t (a, b) FROM stdin WITH (FORMAT csv)", "COPY (SELECT 1) TO STDOUT", "COPY BINARY t FROM STDIN"} {
		if _, err := Split(Postgres, text+";\ndata", 1); err == nil || !strings.Contains(err.Error(), "INSERT") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
