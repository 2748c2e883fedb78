package stopover

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// project is an empty project on a PostgreSQL store. more are further lines of
// the store's entry in stopover.yaml.
func project(t *testing.T, url string, more ...string) *site {
	t.Helper()
	s := &site{t: t, kind: "postgres", dir: t.TempDir()}
	s.open(url)
	s.write("stopover.yaml", "application: shop\nstores:\n  main:\n    url: \"${file:url}\"\n    migrations: migrations\n"+strings.Join(more, ""))
	return s
}

// ordersStory is a small upgrade with every kind of step and text that is more
// than ASCII.
func (s *site) ordersStory() {
	s.t.Helper()
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id int PRIMARY KEY, city text NOT NULL);\n"+
		"INSERT INTO orders SELECT g, 'Köln ' || g FROM generate_series(1, 3000) g;\nINSERT INTO orders VALUES (0, 'a\\''b\\');\n")
	s.finish(s.t, []string{"init"})
	s.migration("0002_town", `-- stopover: expand
ALTER TABLE orders ADD COLUMN town text;
COMMENT ON COLUMN orders.town IS 'früher: city';
-- stopover: backfill table=orders
UPDATE orders SET town = city || ' é\' WHERE town IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE town IS NULL;
-- stopover: contract
CREATE INDEX CONCURRENTLY orders_town ON orders (town);
ALTER TABLE orders DROP COLUMN city;
`)
	s.finish(s.t, complete)
	if got := s.rows("SELECT town FROM orders WHERE id IN (0, 7) ORDER BY id"); len(got) != 2 || got[0] != `a\'b\ é\` || got[1] != `Köln 7 é\` {
		s.t.Errorf("the text has become %q", got)
	}
	if got := s.one("SELECT count(*) FROM orders WHERE town IS NULL"); got != "0" {
		s.t.Errorf("%s rows were missed", got)
	}
}

// What the database is like makes no difference to what a migration does, nor to
// the line that a fault is told with.
func TestDatabasesOfManySorts(t *testing.T) {
	for _, c := range []struct{ name, create, alter string }{
		{"LATIN1", "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", ""},
		{"SQL_ASCII", "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", ""},
		{"backslashes that escape", "", "standard_conforming_strings = off"},
		{"transactions that are serializable", "", "default_transaction_isolation = 'serializable'"},
		{"limits of the login's own", "", "statement_timeout = '900ms'"},
		{"an empty search_path", "", "search_path = ''"},
	} {
		for _, pooled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, pooled %t", c.name, pooled), func(t *testing.T) {
				t.Parallel()
				server := testserver.Postgres(t)
				name := fmt.Sprintf("sort_%d", copies.Add(1))
				server.Exec(t, "postgres", "CREATE DATABASE "+name+" "+c.create)
				if c.alter != "" {
					server.Exec(t, "postgres", "ALTER DATABASE "+name+" SET "+c.alter)
				}
				s := project(t, server.URL(name)+"&client_encoding=UTF8&standard_conforming_strings=on&statement_timeout=0&search_path=public",
					"    direct_url: \""+server.URL(name)+"\"\n")
				s.write("url", server.URL(name))
				if pooled {
					s.write("url", sharedPooler(t).URL(name))
				}
				s.ordersStory()
				if strings.Contains(c.alter, "statement_timeout") {
					s.migration("0003_slow", "-- stopover: expand\nSELECT pg_sleep(1);\n-- stopover: verify\nSELECT 1 WHERE pg_sleep(1) IS NULL;\n")
					s.finish(t, []string{"apply", "verify"})
				}
				s.migration("0004_wrong", "-- stopover: expand\nSELECT 'ä€ö', 'ü'; -- é\nSELECT 'ß',\n  nothing;\n")
				if c.name == "LATIN1" {
					s.migration("0004_wrong", "-- stopover: expand\nSELECT 'äö', 'ü'; -- é\nSELECT 'ß',\n  nothing;\n")
				}
				s.stops(s.applyWith(func() {}), ExitFailed, `column "nothing" does not exist`, "0004_wrong.sql:4")
			})
		}
	}
}

// DDL is seen by event triggers; one that forbids something is the fault of the
// statement that it forbids.
func TestEventTriggers(t *testing.T) {
	t.Parallel()
	s := project(t, testserver.Postgres(t).NewURL(t))
	s.ordersStory()
	s.exec(`CREATE SCHEMA audit; CREATE TABLE audit.ddl (tag text);
		CREATE FUNCTION audit.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit.ddl VALUES (tg_tag); END $$;
		CREATE FUNCTION audit.forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no tables are dropped here'; END $$;
		CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION audit.note();
		CREATE EVENT TRIGGER forbid ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION audit.forbid()`)
	s.migration("0003_more", "-- stopover: expand\nCREATE TABLE more (id int PRIMARY KEY);\n")
	s.finish(t, []string{"apply"})
	s.migration("0004_less", "-- stopover: expand\nCREATE TABLE less (a int);\nDROP TABLE more;\n")
	s.stops(s.applyWith(func() {}), ExitFailed, "no tables are dropped here", "0004_less.sql:3")
	if got := strings.Join(s.rows("SELECT tag FROM audit.ddl"), ", "); got != "CREATE TABLE" {
		t.Errorf("the triggers have seen: %s", got)
	}
}

// Several schemas, one of them with a name that has to be quoted, are several
// stores, and their statements may name each other's tables.
func TestSchemasWithOddNames(t *testing.T) {
	t.Parallel()
	s := project(t, testserver.Postgres(t).NewURL(t), "    schema: 'Shop \"one\"'\n",
		"  other: {url: \"${file:url}\", schema: other, migrations: other}\n")
	s.write("other/0001_begin.sql", "-- stopover: expand\nCREATE TABLE names (id int PRIMARY KEY, name text);\nINSERT INTO names SELECT g, 'n' || g FROM generate_series(1, 3000) g;\n")
	s.migration("0001_begin", "-- stopover: expand\nCREATE TABLE orders (id int PRIMARY KEY, name text);\nINSERT INTO orders SELECT generate_series(1, 3000);\n")
	s.finish(t, []string{"init"})
	s.migration("0002_names", "-- stopover: backfill table=orders\nUPDATE orders o SET name = n.name FROM other.names n WHERE n.id = o.id AND o.name IS NULL;\n"+
		"-- stopover: contract\nCREATE INDEX CONCURRENTLY orders_name ON orders (name);\n")
	s.finish(t, complete)
	if got := s.one(`SELECT count(*) FROM "Shop ""one""".orders WHERE name = 'n' || id`); got != "3000" {
		t.Errorf("%s of 3000 rows are right", got)
	}
	if got := s.rows("SELECT table_schema FROM information_schema.tables WHERE table_name = 'stopover_note' ORDER BY 1"); strings.Join(got, ",") != `Shop "one",other` {
		t.Errorf("books are in %q", got)
	}
}

// The main stories once more on PostgreSQL 18.
func TestStoriesOn18(t *testing.T) {
	server := testserver.PostgresOf(t, 18)
	t.Run("an upgrade", func(t *testing.T) {
		t.Parallel()
		project(t, server.NewURL(t)).ordersStory()
	})
	t.Run("a connection that is cut", func(t *testing.T) {
		t.Parallel()
		connectionCut(t, faulty(t, server.NewURL(t)))
	})
	t.Run("a session that is terminated", func(t *testing.T) {
		t.Parallel()
		sessionTerminated(faulty(t, server.NewURL(t)))
	})
	t.Run("a runner that is killed", func(t *testing.T) {
		t.Parallel()
		killedInBackfill(t, faulty(t, server.NewURL(t)))
	})
}
