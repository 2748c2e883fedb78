package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// onVersions tells a story on the machine's PostgreSQL and on 18.
func onVersions(t *testing.T, story func(*testing.T, *testserver.PostgresServer)) {
	for _, major := range []int{0, 18} {
		name := "the machine's"
		if major != 0 {
			name = fmt.Sprint(major)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, testserver.PostgresOf(t, major))
		})
	}
}

// differs are the sorts of tables that are gone through on PostgreSQL 18 too:
// those that the catalogue might describe otherwise.
var differs = []string{"identity", "deferrable", "generated", "ignores case", "elsewhere", "heirs", "partitions"}

// A table of each sort is gone through once, whole, in stretches.
func TestTablesOfEverySort(t *testing.T) {
	onVersions(t, func(t *testing.T, server *testserver.PostgresServer) {
		newest := server == testserver.PostgresOf(t, 18)
		for _, c := range []struct{ name, setup, values string }{
			{"identity", "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, n int NOT NULL DEFAULT 0)", "(v) SELECT g"},
			{"unlogged", "CREATE UNLOGGED TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT g"},
			{"deferrable primary key", "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, n int NOT NULL DEFAULT 0)", "(id) SELECT g"},
			{"foreign keys both ways", `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 100);
				CREATE TABLE t (id int PRIMARY KEY REFERENCES p, n int NOT NULL DEFAULT 0); CREATE TABLE c (t int REFERENCES t DEFERRABLE INITIALLY DEFERRED)`, "(id) SELECT g"},
			{"exclusion constraint", "CREATE TABLE t (id int PRIMARY KEY, r int4range, n int NOT NULL DEFAULT 0, EXCLUDE USING gist (r WITH &&))", "(id, r) SELECT g, int4range(g, g + 1)"},
			{"generated columns", "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, twice int GENERATED ALWAYS AS (n * 2) STORED)", "(id) SELECT g"},
			{"a generated key", "CREATE TABLE t (base int, id int GENERATED ALWAYS AS (base * 2) STORED PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(base) SELECT g"},
			{"domain key", "CREATE DOMAIN code AS text CHECK (VALUE ~ '^c'); CREATE TABLE t (id code PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT 'c' || g"},
			{"enum key", `DO $$ BEGIN EXECUTE 'CREATE TYPE mood AS ENUM (' || (SELECT string_agg(quote_literal('m' || (g * 37 % 101)), ',' ORDER BY g) FROM generate_series(1, 100) g) || ')'; END $$;
				CREATE TABLE t (id mood PRIMARY KEY, n int NOT NULL DEFAULT 0)`, "(id) SELECT ('m' || (g * 37 % 101))::mood"},
			{"array key", "CREATE TABLE t (id int[] PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT ARRAY[g % 7, g]"},
			{"interval key", "ALTER DATABASE DB SET intervalstyle = 'sql_standard'; CREATE TABLE t (id interval PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT (g - 50) * interval '1 day -2 hours'"},
			{"floats under a login that rounds them", "ALTER DATABASE DB SET extra_float_digits = -10; CREATE TABLE t (id float8 PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT 1 + g * 1e-9"},
			{"text that ignores case", `CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
				CREATE TABLE t (id text COLLATE nocase PRIMARY KEY, n int NOT NULL DEFAULT 0)`, "(id) SELECT chr(CASE WHEN g % 2 = 0 THEN 65 ELSE 97 END + g % 26) || g"},
			{"citext, with its schema in the path", "CREATE EXTENSION citext; CREATE TABLE t (id citext PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT chr(CASE WHEN g % 2 = 0 THEN 65 ELSE 97 END + g % 26) || g"},
			{"citext, with its schema elsewhere", "CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext; CREATE TABLE t (id ext.citext PRIMARY KEY, n int NOT NULL DEFAULT 0)", "(id) SELECT chr(CASE WHEN g % 2 = 0 THEN 65 ELSE 97 END + g % 26) || g"},
			{"citext elsewhere, in a wider key", `CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
				CREATE TABLE t (a int, id ext.citext, b text, n int NOT NULL DEFAULT 0, PRIMARY KEY (a, id, b))`, "(a, id, b) SELECT g % 2, chr(CASE WHEN g % 2 = 0 THEN 65 ELSE 97 END + g % 5), g"},
			{"sixteen columns wide", "CREATE TABLE t (" + wide("c%d text NOT NULL") + ", n int NOT NULL DEFAULT 0, PRIMARY KEY (" + wide("c%d") + "))", "(" + wide("c%d") + ") SELECT " + wide("repeat('x', 60) || (g / %d)") + " || g"},
			{"a name in quotes, in another schema", `CREATE SCHEMA "Odd ""one"; CREATE TABLE "Odd ""one"."T t" ("Key" int PRIMARY KEY, n int NOT NULL DEFAULT 0); CREATE VIEW t AS SELECT * FROM "Odd ""one"."T t"`, `("Key") SELECT g`},
			{"partitions of partitions", `CREATE TABLE t (id int, d int, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
				CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (5) PARTITION BY HASH (id); CREATE TABLE t1a PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
				CREATE TABLE t1b PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 1); CREATE UNLOGGED TABLE t2 (LIKE t INCLUDING ALL); ALTER TABLE t ATTACH PARTITION t2 DEFAULT`, "(id, d) SELECT g, g % 10"},
			{"heirs", "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (t); INSERT INTO heir SELECT generate_series(1, 50)", "(id) SELECT g FROM generate_series(1, 50) g --"},
		} {
			if newest && !slices.ContainsFunc(differs, func(word string) bool { return strings.Contains(c.name, word) }) {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				database := server.Database(t)
				url := server.URL(database)
				run(t, url, strings.ReplaceAll(c.setup, "DB", database))
				run(t, url, "INSERT INTO t "+c.values+" FROM generate_series(1, 100) g")
				s := opened(t, store.Settings{URL: url})
				if err := s.Prepare(t.Context()); err != nil {
					t.Fatal(err)
				}
				table := "t"
				if strings.Contains(c.setup, "T t") {
					table = `"Odd ""one"."T t"`
				}
				sizes := sweep(t, s, action(store.Stretched, "UPDATE "+table+" SET n = n + 1"), 30)
				if strings.Contains(c.name, "citext") && sizes[0] != 30 { // compared as text, it is another number
					t.Errorf("stretches of %v rows, want 30 each", sizes)
				}
				wantRows(t, url, "SELECT count(*) || ' ' || min(n) || ' ' || max(n) FROM t", "100 1 1")
			})
		}
	})
}

// wide writes something for each of sixteen columns.
func wide(format string) string {
	var all []string
	for i := 1; i <= 16; i++ {
		all = append(all, fmt.Sprintf(format, i))
	}
	return strings.Join(all, ", ")
}

// Tables of which a backfill could miss rows, or change some twice, are refused
// before it begins, by name.
func TestTablesThatWouldBePassedOverAreRefused(t *testing.T) {
	server := testserver.Postgres(t)
	for _, c := range []struct{ name, setup, sql, want string }{
		{"a key computed from what changes", "CREATE TABLE t (base int, id int GENERATED ALWAYS AS (base + 1) STORED PRIMARY KEY)", "UPDATE t SET base = base + 1000", "changes id"},
		{"heirs without the key", "CREATE TABLE t (id int UNIQUE NOT NULL, n int); CREATE TABLE heir () INHERITS (t); ALTER TABLE heir ALTER id DROP NOT NULL", "UPDATE t SET n = 1", "child table heir may have NULL in id"},
		{"a nullable unique key", "CREATE TABLE t (id int UNIQUE, n int)", "UPDATE t SET n = 1", "no primary key and no unique index over NOT NULL"},
		{"unique over an expression", "CREATE TABLE t (id text NOT NULL, n int); CREATE UNIQUE INDEX ON t (lower(id))", "UPDATE t SET n = 1", "no primary key"},
		{"an exclusion constraint alone", "CREATE TABLE t (r int4range NOT NULL, n int, EXCLUDE USING gist (r WITH &&))", "UPDATE t SET n = 1", "no primary key"},
		{"a view", "CREATE TABLE r (id int PRIMARY KEY, n int); CREATE VIEW t AS SELECT * FROM r", "UPDATE t SET n = 1", "t is a view"},
		{"a materialized view", "CREATE MATERIALIZED VIEW t AS SELECT 1 AS id, 2 AS n", "UPDATE t SET n = 1", "t is a materialized view"},
		{"a foreign table", "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER away FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE t (id int, n int) SERVER away", "UPDATE t SET n = 1", "t is a foreign table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := server.NewURL(t)
			run(t, url, c.setup)
			if strings.Contains(c.setup, "DROP NOT NULL") && len(ask(t, url, "SELECT 'x' FROM pg_attribute WHERE attrelid = 'heir'::regclass AND attname = 'id' AND attnotnull")) > 0 {
				t.Fatal("the heir's column is still NOT NULL")
			}
			s := opened(t, store.Settings{URL: url})
			because, err := s.Uncuttable(t.Context(), action(store.Stretched, c.sql))
			if err != nil || !strings.Contains(because, c.want) {
				t.Errorf("before it begins: %q, %v; want %q in it", because, err, c.want)
			}
			if err := s.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err = s.Do(t.Context(), store.Task{Action: action(store.Stretched, c.sql), Size: 5, Record: noted})
			if failed := wantError[*store.StatementError](t, err); !strings.Contains(failed.Message, c.want) {
				t.Errorf("%q, want %q in it", failed.Message, c.want)
			}
		})
	}
}

// A table that another session has for itself alone does not exist for us.
func TestTemporaryTablesAreNobodyElses(t *testing.T) {
	s, url := prepared(t)
	s = opened(t, store.Settings{URL: url + "&pool_max_conns=1"})
	if err := do(t, s, "CREATE TEMPORARY TABLE scribble (id int PRIMARY KEY, n int)"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Do(t.Context(), store.Task{Action: action(store.Stretched, "UPDATE scribble SET n = 1"), Size: 5})
	if failed := wantError[*store.StatementError](t, err); !strings.Contains(failed.Message, "scribble does not exist") {
		t.Error(failed)
	}
}

// Of a table with row security a login that is subject to it sees only some
// rows: everything that would pass the others over is refused, by name.
func TestRowSecurityHidesNothingSilently(t *testing.T) {
	onVersions(t, func(t *testing.T, server *testserver.PostgresServer) {
		database := server.Database(t)
		url := server.URL(database)
		for _, role := range []string{"owner", "subject", "passes"} {
			run(t, url, fmt.Sprintf("CREATE ROLE %s_%s LOGIN", role, database))
		}
		run(t, url, strings.NewReplacer("ROLE_O", "owner_"+database, "SUBJECT", "subject_"+database, "PASSES", "passes_"+database).Replace(`
			ALTER ROLE PASSES BYPASSRLS; GRANT CREATE, USAGE ON SCHEMA public TO ROLE_O, SUBJECT, PASSES;
			CREATE TABLE t (id int PRIMARY KEY, tenant int NOT NULL, n int); INSERT INTO t SELECT g, g % 2 FROM generate_series(1, 100) g;
			ALTER TABLE t OWNER TO ROLE_O; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (tenant = 0);
			GRANT ALL ON t TO SUBJECT, PASSES; CREATE TABLE sums (n bigint); GRANT ALL ON sums TO PUBLIC`))
		for _, c := range []struct {
			role   string
			forced bool
			hidden bool
		}{{"owner", false, false}, {"owner", true, true}, {"subject", false, true}, {"passes", true, false}} {
			schema := fmt.Sprintf("books_%s_%t", c.role, c.forced)
			run(t, url, fmt.Sprintf("CREATE SCHEMA %s AUTHORIZATION %s_%s; ALTER TABLE t %s ROW LEVEL SECURITY; UPDATE t SET n = NULL", schema, c.role, database,
				map[bool]string{true: "FORCE", false: "NO FORCE"}[c.forced]))
			s := opened(t, store.Settings{URL: server.URLAs(c.role+"_"+database, "", database), Options: map[string]string{"schema": schema}})
			if err := s.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkRowSecurity(t, s, c.hidden, c.role+"_"+database)
			left := "0"
			if c.hidden {
				left = "100"
			}
			wantRows(t, url, "SELECT count(*)::text FROM t WHERE n IS NULL", left)
		}
	})
}

// checkRowSecurity tries each sort of work on the table t.
func checkRowSecurity(t *testing.T, s *postgres.Store, hidden bool, role string) {
	t.Helper()
	backfill := action(store.Stretched, "UPDATE t SET n = 1 WHERE n IS NULL")
	because, err := s.Uncuttable(t.Context(), backfill)
	if err != nil || hidden != strings.Contains(because, "row security hides rows of it from "+role) {
		t.Errorf("%s, hidden %t: before it begins %q, %v", role, hidden, because, err)
	}
	for _, task := range []store.Task{
		{Action: action(store.Query, "SELECT id FROM t WHERE n = 5")},
		{Action: action(store.Query, "SELECT id FROM t WHERE n = 5"), Record: noted},
		{Action: action(store.Whole, "INSERT INTO sums SELECT sum(id) FROM t")},
		{Action: action(store.Whole, "SELECT 1"), Proof: action(store.Query, "SELECT id FROM t WHERE n = 5")},
		{Action: backfill, Size: 1000},
	} {
		_, err := s.Do(t.Context(), task)
		if !hidden && err != nil {
			t.Errorf("%s: %v", role, err)
		}
		if hidden && (err == nil || !strings.Contains(err.Error(), "row security") && !strings.Contains(err.Error(), `row-level security policy for table "t"`)) {
			t.Errorf("%s: %s: error %v, want one that names row security", role, task.Action.Statements()[0].Text, err)
		}
	}
}
