package sqltext

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// These tests ask PostgreSQL itself: it takes a whole script in one message and
// cuts it by its own grammar.

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

const nastyPostgres = `-- a script; with everything
CREATE TABLE t (id int PRIMARY KEY, "a;b" text, "C" text DEFAULT ';', d text, x int); /* ; /* nested; */ ; */
INSERT INTO t VALUES (1, 'it''s; ''', E'a\';\\', U&'\003b', 1), (2, $$;$$, $a$ $$ ; $b$ $a$, 'x' -- ;
 ';y', -1), (3, E'q'
   '\';', 'a\', N'n;', 1 +-- ;
 2);;
CREATE TABLE a$b$ (c$b$ int[]); INSERT INTO a$b$ VALUES ('{1,2,3}');
UPDATE a$b$ SET c$b$ = c$b$[1:2] || 4::int;
CREATE FUNCTION f(begin int) RETURNS int LANGUAGE plpgsql AS $fn$
BEGIN
  IF begin > 1 THEN RETURN 1; END IF; -- '
  RETURN CASE WHEN begin = 1 THEN 2 ELSE 3 END;
END $fn$;
CREATE OR REPLACE FUNCTION g(a int) RETURNS int LANGUAGE sql BEGIN /* ; */ ATOMIC
  INSERT INTO t VALUES (a, ';');
  SELECT CASE WHEN a > 1 THEN (SELECT 1 AS end) END;
END;
CREATE PROCEDURE p() BEGIN ATOMIC END;
CREATE FUNCTION r(a int) RETURNS int RETURN CASE WHEN a > 1 THEN 2 END;
CREATE VIEW v AS SELECT CASE x WHEN 1 THEN 2 END AS y FROM t;
CREATE RULE u AS ON INSERT TO v DO INSTEAD (INSERT INTO t VALUES (9); UPDATE t SET d = ';' WHERE id = 9;);
CREATE TRIGGER tg BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.x > 100) EXECUTE FUNCTION suppress_redundant_updates_trigger();
DO $$ BEGIN PERFORM g(7); END; $$; INSERT INTO v VALUES (1);
SELECT 'a' "b;c", 1 AS "select"
-- no semicolon at the end`

func connect(t *testing.T) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), testserver.Postgres(t).NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// ask performs statements in one message and gives all rows as lines.
func ask(conn *pgconn.PgConn, script string) ([]string, error) {
	results, err := conn.Exec(context.Background(), script).ReadAll()
	var lines []string
	for _, result := range results {
		for _, row := range result.Rows {
			var fields []string
			for _, field := range row {
				fields = append(fields, string(field))
			}
			lines = append(lines, strings.Join(fields, "|"))
		}
	}
	return lines, err
}

func mustAsk(t *testing.T, conn *pgconn.PgConn, script string) []string {
	t.Helper()
	lines, err := ask(conn, script)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return lines
}

func TestSplitAsPostgresDoes(t *testing.T) {
	whole, split := connect(t), connect(t)
	mustAsk(t, whole, nastyPostgres)
	statements, err := Split(Postgres, nastyPostgres, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(statements) != 15 {
		t.Errorf("%d statements: %q", len(statements), texts(statements))
	}
	for _, s := range statements {
		// A prepared statement is refused by the server if it is more than one.
		if _, err := split.Prepare(context.Background(), "", s.Text, nil); err != nil {
			t.Errorf("%s: %v", s.Text, err)
		}
		mustAsk(t, split, s.Text)
	}
	for _, query := range []string{
		"SELECT * FROM t ORDER BY id", "SELECT * FROM a$b$", "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename = 'u'",
		"SELECT proname, prosrc, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname",
		"SELECT pg_get_viewdef('v'), f(1), r(2)",
	} {
		got, want := mustAsk(t, split, query), mustAsk(t, whole, query)
		if !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestRangesAsPostgresDoes(t *testing.T) {
	const schema = `CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int[]);
		INSERT INTO t SELECT i, CASE WHEN i % 3 > 0 THEN i END, i, ARRAY[i, i] FROM generate_series(1, 20) i;
		CREATE TABLE u (id int PRIMARY KEY, a int); INSERT INTO u SELECT id, a FROM t WHERE id % 4 = 0`
	const contents = "SELECT * FROM t ORDER BY id; SELECT * FROM u ORDER BY id"
	conn := connect(t)
	for _, text := range []string{
		"UPDATE t SET a = b, c = c[1:1] WHERE a IS NULL -- c",
		"UPDATE public.t * SET a = 1 RETURNING id",
		"UPDATE ONLY (t) x SET (a, b) = (SELECT max(a), 1 FROM u WHERE u.id <= x.id + 3) WHERE x.b > 1 OR a IS NOT DISTINCT FROM 1",
		"WITH s AS MATERIALIZED (SELECT id FROM t WHERE b % 2 = 1) UPDATE t AS y SET a = -1 WHERE id IN (SELECT id FROM s) AND a > 0",
		"UPDATE t SET a = CASE WHEN t.a IS DISTINCT FROM u.a THEN 3 ELSE 4 END FROM u WHERE u.id = t.id",
		"DELETE FROM t z USING u WHERE u.id = z.id RETURNING z.*",
		"DELETE FROM t",
		"INSERT INTO u SELECT id, b FROM t WHERE :range ON CONFLICT (id) DO NOTHING",
		"WITH gone AS (DELETE FROM t WHERE b > 3 AND :range RETURNING id, b) INSERT INTO u SELECT * FROM gone ON CONFLICT DO NOTHING",
		"MERGE INTO u USING (SELECT * FROM t AS w WHERE :range(w)) w ON u.id = w.id WHEN MATCHED THEN UPDATE SET a = w.b WHEN NOT MATCHED THEN INSERT VALUES (w.id, w.b)",
	} {
		t.Run(text, func(t *testing.T) {
			cut, err := Ranged(one(t, Postgres, text), "t")
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			inTransaction(t, conn, func() {
				mustAsk(t, conn, schema+";"+cut.Text(""))
				want = mustAsk(t, conn, contents)
			})
			inTransaction(t, conn, func() {
				mustAsk(t, conn, schema)
				for _, cond := range []string{"(#.id) < (7)", "(#.id) >= (7) AND (#.id) < (13)", "#.id >= 13"} {
					mustAsk(t, conn, cut.Text(strings.ReplaceAll(cond, "#", cut.Alias)))
				}
				if got := mustAsk(t, conn, contents); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				if match := cut.Matching("1", cut.Alias+".id > 0"); match != "" {
					mustAsk(t, conn, match)
				}
			})
		})
	}
}

// inTransaction does something that leaves nothing behind.
func inTransaction(t *testing.T, conn *pgconn.PgConn, do func()) {
	t.Helper()
	mustAsk(t, conn, "BEGIN")
	do()
	mustAsk(t, conn, "ROLLBACK")
}

// TestAloneAsPostgresDoes: what is said to stand alone is what the server
// refuses in a transaction.
func TestAloneAsPostgresDoes(t *testing.T) {
	conn := connect(t)
	mustAsk(t, conn, `CREATE TABLE t (id int); CREATE INDEX i ON t (id); CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
		CREATE UNIQUE INDEX mi ON m (id); CREATE TYPE e AS ENUM ('a'); CREATE TABLE l (id int) PARTITION BY LIST (id);
		CREATE TABLE l1 PARTITION OF l FOR VALUES IN (1); CREATE TABLE l2 PARTITION OF l FOR VALUES IN (2); CREATE PROCEDURE p() BEGIN ATOMIC END`)
	for _, text := range []string{
		"CREATE INDEX CONCURRENTLY j ON t (id)", "CREATE INDEX j ON t (id)", "DROP INDEX CONCURRENTLY i", "DROP INDEX i",
		"REINDEX INDEX CONCURRENTLY i", "REINDEX (CONCURRENTLY) TABLE t", "REINDEX TABLE t", "REINDEX SCHEMA public", "VACUUM t", "ANALYZE t",
		"CREATE DATABASE never_made", "DROP DATABASE IF EXISTS never_made", "ALTER SYSTEM SET work_mem = '4MB'", "CLUSTER", "CLUSTER t USING i",
		"REFRESH MATERIALIZED VIEW CONCURRENTLY m", "ALTER TYPE e ADD VALUE 'b'", "ALTER TABLE l DETACH PARTITION l1 CONCURRENTLY",
		"ALTER TABLE l DETACH PARTITION l2", "CALL p()", "CREATE TABLESPACE never_made LOCATION '/nowhere'",
		"DROP TABLESPACE IF EXISTS never_made",
		"CREATE SUBSCRIPTION never_made CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)",
		"CREATE SUBSCRIPTION never_made CONNECTION 'host=/nowhere' PUBLICATION p WITH (create_slot)",
	} {
		_, err := ask(conn, "BEGIN; "+text)
		mustAsk(t, conn, "ROLLBACK")
		var refused *pgconn.PgError
		inside := !errors.As(err, &refused) || refused.Code != "25001"
		if said := one(t, Postgres, text).Alone; (said == "") != inside {
			t.Errorf("%s: said %q, the server answers %v", text, said, err)
		}
	}
}
