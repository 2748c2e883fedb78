package postgres_test

import (
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

// currency is the mirror of two columns of orders with equal values.
var currency = store.Mirror{Name: "0042_currency", Line: 3, Table: "orders", Old: "cur_code", New: "currency"}

// begin performs an expand that sets mirrors up.
func begin(t *testing.T, s store.Store, sql string, mirrors ...store.Mirror) error {
	t.Helper()
	return section(t, s, store.Section{Text: sql, Begins: mirrors})
}

// end performs a contract that takes mirrors away.
func end(t *testing.T, s store.Store, sql string, mirrors ...store.Mirror) error {
	t.Helper()
	return section(t, s, store.Section{Text: sql, Ends: mirrors})
}

func section(t *testing.T, s store.Store, section store.Section) error {
	t.Helper()
	section.Line, section.Shape = 1, store.Whole
	parsed, err := postgres.Kind().Parse(section)
	if err != nil {
		return err
	}
	_, err = s.Do(t.Context(), store.Task{Action: parsed.Action, Record: noted})
	return err
}

// mirrorCase is what somebody writes while a mirror lives, and what is there
// then: rows with | between them.
type mirrorCase struct {
	name, before, expand string
	mirror               store.Mirror
	write, query, want   string
}

// onOrders are cases of a mirror of equal values.
var onOrders = []mirrorCase{
	{name: "old code inserts", write: "INSERT INTO orders (id, cur_code) VALUES (2, 'CHF')", query: "SELECT currency FROM orders WHERE id = 2", want: "CHF"},
	{name: "new code inserts, the old column is NOT NULL", write: "INSERT INTO orders (id, currency) VALUES (2, 'CHF')", query: "SELECT cur_code FROM orders WHERE id = 2", want: "CHF"},
	{name: "both sides, at odds", write: "INSERT INTO orders VALUES (2, 'USD', 'CHF')", query: "SELECT cur_code || currency FROM orders WHERE id = 2", want: "CHFCHF"},
	{name: "the old column has a default", before: "ALTER TABLE orders ALTER cur_code SET DEFAULT 'USD'",
		write: "INSERT INTO orders (id, currency) VALUES (2, 'CHF'); INSERT INTO orders (id) VALUES (3)", query: "SELECT cur_code || currency FROM orders WHERE id > 1 ORDER BY id", want: "CHFCHF|USDUSD"},
	{name: "old code updates a row not filled yet", write: "UPDATE orders SET cur_code = 'CHF'", query: "SELECT currency FROM orders", want: "CHF"},
	{name: "new code updates a row not filled yet", write: "UPDATE orders SET currency = 'CHF'", query: "SELECT cur_code FROM orders", want: "CHF"},
	{name: "both sides updated, at odds", write: "UPDATE orders SET currency = 'CHF', cur_code = 'USD'", query: "SELECT cur_code || currency FROM orders", want: "CHFCHF"},
	{name: "another column", write: "UPDATE orders SET id = 7", query: "SELECT coalesce(currency, 'none') FROM orders", want: "none"},
	{name: "NULL from old code", before: "ALTER TABLE orders ALTER cur_code DROP NOT NULL", write: "UPDATE orders SET currency = 'CHF'; UPDATE orders SET cur_code = NULL",
		query: "SELECT coalesce(currency, 'none') FROM orders", want: "none"},
	{name: "NULL from new code", before: "ALTER TABLE orders ALTER cur_code DROP NOT NULL", write: "UPDATE orders SET currency = 'CHF'; UPDATE orders SET currency = NULL",
		query: "SELECT coalesce(cur_code, 'none') FROM orders", want: "none"},
	{name: "upsert by old code", write: "INSERT INTO orders (id, cur_code) VALUES (1, 'CHF') ON CONFLICT (id) DO UPDATE SET cur_code = EXCLUDED.cur_code", query: "SELECT currency FROM orders", want: "CHF"},
	{name: "upsert by new code", write: "INSERT INTO orders (id, currency) VALUES (1, 'CHF') ON CONFLICT (id) DO UPDATE SET currency = EXCLUDED.currency", query: "SELECT cur_code FROM orders", want: "CHF"},
	{name: "upsert that changes nothing", write: "INSERT INTO orders (id, currency) VALUES (1, 'CHF') ON CONFLICT DO NOTHING", query: "SELECT cur_code FROM orders", want: "EUR"},
	{name: "the application's own trigger changes the old column", before: `CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.cur_code := upper(NEW.cur_code); RETURN NEW; END';
		CREATE TRIGGER loud BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION loud()`,
		write: "INSERT INTO orders (id, cur_code) VALUES (2, 'chf')", query: "SELECT currency FROM orders WHERE id = 2", want: "CHF"},
	{name: "the application's own trigger writes where the statement does not", before: `CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.cur_code := ''XXX''; RETURN NEW; END';
		CREATE TRIGGER mark BEFORE UPDATE OF id ON orders FOR EACH ROW EXECUTE FUNCTION mark()`,
		write: "UPDATE orders SET id = 2", query: "SELECT currency FROM orders", want: "XXX"},
	{name: "a session that fires no triggers", write: "SET session_replication_role = replica; INSERT INTO orders (id, cur_code) VALUES (2, 'CHF')", query: "SELECT currency FROM orders WHERE id = 2", want: "CHF"},
	{name: "an empty search path", write: "SET search_path = ''; UPDATE public.orders SET cur_code = 'CHF'", query: "SELECT currency FROM orders", want: "CHF"},
	{name: "names that hide others", write: `CREATE TEMP TABLE orders (cur_code int, currency int); UPDATE public.orders SET cur_code = 'CHF'`, query: "SELECT currency FROM orders", want: "CHF"},
	{name: "a merge", write: "MERGE INTO orders USING (VALUES (1), (2)) v(id) ON v.id = orders.id WHEN MATCHED THEN UPDATE SET currency = 'CHF' WHEN NOT MATCHED THEN INSERT (id, currency) VALUES (v.id, 'CHF')",
		query: "SELECT cur_code FROM orders ORDER BY id", want: "CHF|CHF"},
	{name: "row security", before: `ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (cur_code <> 'XXX');
		DROP ROLE IF EXISTS mirror_clerk; CREATE ROLE mirror_clerk; GRANT ALL ON orders TO mirror_clerk`,
		write: "SET ROLE mirror_clerk; INSERT INTO orders (id, currency) VALUES (2, 'CHF'); RESET ROLE; DROP OWNED BY mirror_clerk; DROP ROLE mirror_clerk", query: "SELECT cur_code FROM orders WHERE id = 2", want: "CHF"},
	{name: "foreign keys of both", before: "CREATE TABLE currencies (code text PRIMARY KEY); INSERT INTO currencies VALUES ('EUR'), ('CHF'); ALTER TABLE orders ADD FOREIGN KEY (cur_code) REFERENCES currencies ON UPDATE CASCADE",
		expand: "ALTER TABLE orders ADD currency text REFERENCES currencies ON UPDATE CASCADE",
		write:  "UPDATE orders SET currency = 'CHF'; UPDATE currencies SET code = 'CHX' WHERE code = 'CHF'", query: "SELECT cur_code || currency FROM orders", want: "CHXCHX"},
	{name: "a generated column behind it", expand: "ALTER TABLE orders ADD currency text; ALTER TABLE orders ADD small text GENERATED ALWAYS AS (lower(currency)) STORED",
		write: "UPDATE orders SET cur_code = 'CHF'", query: "SELECT small FROM orders", want: "chf"},
}

var (
	lossy = store.Mirror{Name: "state", Table: "orders", Old: "paid", New: "state",
		Up: "CASE WHEN paid THEN 'paid' ELSE 'open' END", Down: "state = 'paid'"}
	cents = store.Mirror{Name: "0043-Cents", Table: `"Orders"`, Old: `"Amount"`, New: "cents",
		Up: `CAST(substr("Amount", 5) AS numeric) * 100`, Down: `'EUR ' || CAST(round(cents / 100, 2) AS text)`}
	doubled = store.Mirror{Name: "f", Table: "public.orders", Old: "cur_code", New: "currency", Up: "twice(cur_code)", Down: "half(currency)"}
)

// elsewhere are cases of mirrors with expressions, and of other tables.
var elsewhere = []mirrorCase{
	{name: "an expression up", before: `CREATE TABLE "Orders" ("Amount" text)`, expand: `ALTER TABLE "Orders" ADD cents numeric`, mirror: cents,
		write: `INSERT INTO "Orders" ("Amount") VALUES ('EUR 12.30')`, query: `SELECT cents::text FROM "Orders"`, want: "1230.00"},
	{name: "an expression down", before: `CREATE TABLE "Orders" ("Amount" text); INSERT INTO "Orders" VALUES ('EUR 5')`, expand: `ALTER TABLE "Orders" ADD cents numeric`, mirror: cents,
		write: `UPDATE "Orders" SET cents = 750`, query: `SELECT "Amount" FROM "Orders"`, want: "EUR 7.50"},
	{name: "what would come back otherwise stays", before: `CREATE TABLE "Orders" ("Amount" text); INSERT INTO "Orders" VALUES ('EUR 012.3')`, expand: `ALTER TABLE "Orders" ADD cents numeric`, mirror: cents,
		write: `UPDATE "Orders" SET cents = 1230.0`, query: `SELECT "Amount" FROM "Orders"`, want: "EUR 012.3"},
	{name: "a value that the old side cannot say", before: "ALTER TABLE orders ADD paid bool NOT NULL DEFAULT true", expand: "ALTER TABLE orders ADD state text", mirror: lossy,
		write: "UPDATE orders SET state = 'refunded'; UPDATE orders SET id = 9", query: "SELECT state || paid FROM orders", want: "refundedfalse"},
	{name: "old code changes it after that", before: "ALTER TABLE orders ADD paid bool NOT NULL DEFAULT true", expand: "ALTER TABLE orders ADD state text", mirror: lossy,
		write: "UPDATE orders SET state = 'refunded'; UPDATE orders SET paid = true", query: "SELECT state FROM orders", want: "paid"},
	{name: "NULL that has no counterpart", before: "ALTER TABLE orders ADD paid bool", expand: "ALTER TABLE orders ADD state text", mirror: lossy,
		write: "UPDATE orders SET state = 'paid'; UPDATE orders SET state = NULL", query: "SELECT state || coalesce(paid, false) FROM orders", want: "openfalse"},
	{name: "partitions", before: `CREATE TABLE parted (id int, cur_code text) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9);
		CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (9) TO (99)`, expand: "ALTER TABLE parted ADD currency text",
		mirror: store.Mirror{Name: "p", Table: "parted", Old: "cur_code", New: "currency"},
		write:  "INSERT INTO parted (id, cur_code) VALUES (1, 'CHF'); INSERT INTO parted_2 (id, currency) VALUES (10, 'USD'); UPDATE parted SET id = 20, cur_code = 'JPY' WHERE id = 1; CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (99) TO (999); INSERT INTO parted (id, cur_code) VALUES (100, 'SEK')",
		query:  "SELECT cur_code || currency FROM parted ORDER BY id", want: "USDUSD|JPYJPY|SEKSEK"},
	{name: "a wider key", before: "ALTER TABLE orders ALTER cur_code SET DEFAULT 'EUR'", expand: "ALTER TABLE orders ADD big bigint", mirror: store.Mirror{Name: "k", Table: "orders", Old: "id", New: "big"},
		write: "INSERT INTO orders (id) VALUES (2); INSERT INTO orders (big) VALUES (3)", query: "SELECT id || '=' || big FROM orders WHERE id > 1 ORDER BY id", want: "2=2|3=3"},
	{name: "the application's functions", before: "CREATE FUNCTION twice(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1 || $1'; CREATE FUNCTION half(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT left($1, length($1) / 2)'",
		mirror: doubled, write: "SET search_path = ''; UPDATE public.orders SET cur_code = 'CHF'; INSERT INTO public.orders (id, currency) VALUES (2, 'abcabc')",
		query: "SELECT cur_code || '=' || currency FROM orders ORDER BY id", want: "CHF=CHFCHF|abc=abcabc"},
}

func TestMirror(t *testing.T) {
	s, url := prepared(t)
	testMirrors(t, s, url)
}

func TestMirrorOn18(t *testing.T) {
	url := testserver.PostgresOf(t, 18).NewURL(t)
	s := opened(t, store.Settings{Name: "main", URL: url})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	testMirrors(t, s, url)
}

func testMirrors(t *testing.T, s store.Store, url string) {
	t.Helper()
	for _, c := range append(onOrders, elsewhere...) {
		t.Run(c.name, func(t *testing.T) {
			if c.mirror.Table == "" {
				c.mirror = currency
			}
			if c.expand == "" {
				c.expand = "ALTER TABLE orders ADD COLUMN currency text"
			}
			run(t, url, emptied)
			run(t, url, "CREATE TABLE orders (id int PRIMARY KEY, cur_code text NOT NULL); INSERT INTO orders VALUES (1, 'EUR');"+c.before)
			if err := begin(t, s, c.expand, c.mirror); err != nil {
				t.Fatal(err)
			}
			run(t, url, c.write)
			wantRows(t, url, c.query, strings.Split(c.want, "|")...)
			if err := end(t, s, "SELECT 1", c.mirror); err != nil {
				t.Fatal(err)
			}
			wantRows(t, url, leftovers)
		})
	}
}

// leftovers finds what a mirror leaves behind.
const leftovers = `SELECT proname::text FROM pg_proc WHERE proname LIKE 'stopover_mirror%' UNION ALL
	SELECT tgname::text FROM pg_trigger WHERE tgname LIKE '%mirror%' UNION ALL SELECT relname::text FROM pg_class WHERE relname LIKE 'stopover_mirror%'`

// emptied takes all but the books away.
const emptied = `DO $$ DECLARE name text; BEGIN
	FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname NOT LIKE 'stopover%' LOOP
		EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', name);
	END LOOP;
	DROP VIEW IF EXISTS orders;
	DROP DOMAIN IF EXISTS d;
	DROP FUNCTION IF EXISTS loud, mark, twice, half;
END $$`

func TestMirrorRefused(t *testing.T) {
	s, url := prepared(t)
	pair := func(up, down string) store.Mirror {
		return store.Mirror{Name: "m", Line: 5, Table: "orders", Old: "amount", New: "cents", Up: up, Down: down}
	}
	same := pair("", "")
	for _, c := range []struct {
		name, table string
		mirror      store.Mirror
		want        string
	}{
		{"no table", "", same, "no mirror can be on orders: it does not exist"},
		{"no column", "CREATE TABLE orders (amount text)", same, "it has no column cents"},
		{"a view", "CREATE VIEW orders AS SELECT 1 AS amount, 2 AS cents", same, "it is no table"},
		{"a partition", "CREATE TABLE p (amount text, cents text) PARTITION BY LIST (amount); CREATE TABLE orders PARTITION OF p DEFAULT", same, "it is a partition"},
		{"the partition key", "CREATE TABLE orders (amount text, cents text) PARTITION BY LIST (amount)", same, "a column is in its partition key"},
		{"the key of a part", "CREATE TABLE orders (id int, amount text, cents text) PARTITION BY LIST (id); CREATE TABLE p PARTITION OF orders DEFAULT PARTITION BY LIST (cents)", same, "a column is in its partition key"},
		{"tables that inherit", "CREATE TABLE orders (amount text, cents text); CREATE TABLE c () INHERITS (orders)", same, "tables inherit from it"},
		{"a default", "CREATE TABLE orders (amount text, cents text DEFAULT 'x')", same, "column cents has a default"},
		{"an identity", "CREATE TABLE orders (amount int, cents int GENERATED BY DEFAULT AS IDENTITY)", same, "column cents has a default"},
		{"generated", "CREATE TABLE orders (cents text, amount text GENERATED ALWAYS AS (lower(cents)) STORED)", same, "column amount is generated"},
		{"a domain without NULL", "CREATE DOMAIN d AS text NOT NULL; CREATE TABLE orders (amount text, cents d)", same, "of a domain that is NOT NULL"},
		{"types that differ", "CREATE TABLE orders (amount text, cents int)", same, `needs an expression of amount alone that gives a integer`},
		{"another column", "CREATE TABLE orders (amount text, cents text, b text)", pair("amount || b", "cents"), `column "b" does not exist`},
		{"the row", "CREATE TABLE orders (amount text, cents text, b text)", pair("amount || orders.b", "cents"), `missing FROM-clause`},
		{"a query", "CREATE TABLE orders (amount text, cents text)", pair("(SELECT amount)", "cents"), `cannot use subquery`},
		{"not the same in each session", "CREATE TABLE orders (amount timestamp, cents timestamptz)", same, "generation expression is not immutable"},
		{"random", "CREATE TABLE orders (amount text, cents text)", pair("amount || random()", "cents"), "generation expression is not immutable"},
		{"rounding", "CREATE TABLE orders (amount numeric, cents numeric(10,2))", pair("round(amount, 2)", "cents"), `which rounds without an error; write up="CAST(.. AS numeric(10,2))"`},
		{"collations", `CREATE TABLE orders (amount text COLLATE "C", cents text)`, same, `write up="(..) COLLATE "default""`},
		{"no equality", "CREATE TABLE orders (amount json, cents json)", same, "operator does not exist: json = json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, url, emptied)
			run(t, url, c.table)
			failed := wantError[*store.StatementError](t, begin(t, s, "SELECT 1", c.mirror))
			if !strings.Contains(failed.Message, c.want) || failed.Line != 5 {
				t.Errorf("line %d: %s\nwant %s", failed.Line, failed.Message, c.want)
			}
		})
	}
}

// TestMirrorRounds shows that a cast says that rounding is meant, and that the
// pair agrees then.
func TestMirrorRounds(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE orders (amount numeric, cents numeric(10,2)); INSERT INTO orders VALUES (1.005)")
	m := store.Mirror{Name: "m", Table: "orders", Old: "amount", New: "cents", Up: "CAST(amount AS numeric(10,2))", Down: "CAST(cents AS numeric)"}
	if err := begin(t, s, "SELECT 1", m); err != nil {
		t.Fatal(err)
	}
	run(t, url, "UPDATE orders SET cents = CAST(amount AS numeric(10,2)) WHERE cents IS NULL; INSERT INTO orders (amount) VALUES (2.009)")
	wantRows(t, url, "SELECT amount || '=' || cents FROM orders ORDER BY amount", "1.005=1.01", "2.009=2.01")
}

// TestMirrorOfAnExtensionsType shows that operators are found where the store's
// path leads, whatever the writer's own is.
func TestMirrorOfAnExtensionsType(t *testing.T) {
	server := testserver.Postgres(t).NewURL(t)
	run(t, server, "CREATE SCHEMA shop; CREATE TYPE public.pair AS (a int, b int); CREATE FUNCTION public.same(public.pair, public.pair) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1.a = $2.a AND $1.b = $2.b'")
	run(t, server, "CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = public.pair, RIGHTARG = public.pair); CREATE TABLE shop.orders (a public.pair, b public.pair)")
	s := opened(t, store.Settings{Name: "main", URL: server, Options: map[string]string{"schema": "shop"}})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := begin(t, s, "SELECT 1", store.Mirror{Name: "m", Table: "orders", Old: "a", New: "b"}); err != nil {
		t.Fatal(err)
	}
	run(t, server, "SET search_path = ''; INSERT INTO shop.orders (b) VALUES ('(1,2)'); UPDATE shop.orders SET a = '(3,4)'")
	wantRows(t, server, "SELECT a::text || b FROM shop.orders", "(3,4)(3,4)")
	wantRows(t, server, "SELECT unnest(proconfig) FROM pg_proc WHERE proname = 'stopover_mirror_m'", "search_path=pg_catalog, shop, public, pg_temp")
}

// TestMirrorNames shows that long names fit, and stay apart.
func TestMirrorNames(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE orders (a text, b text, c text, d text)")
	long := "0042_" + strings.Repeat("a_long_name_", 9)
	if err := begin(t, s, "SELECT 1", store.Mirror{Name: long + "1", Table: "orders", Old: "a", New: "b"},
		store.Mirror{Name: long + "2", Table: "orders", Old: "c", New: "d"}); err != nil {
		t.Fatal(err)
	}
	run(t, url, "INSERT INTO orders (a, d) VALUES ('x', 'y')")
	wantRows(t, url, "SELECT a || b || c || d FROM orders", "xxyy")
	wantRows(t, url, "SELECT count(*)::text FROM pg_trigger WHERE tgname LIKE 'zz_stopover_mirror_0042%' AND tgname ~ '_(insert|update)$'", "4")
}

// TestMirrorParse shows what is refused without a server.
func TestMirrorParse(t *testing.T) {
	for _, c := range []struct {
		mirror store.Mirror
		want   string
	}{
		{store.Mirror{Table: "or ders", Old: "a", New: "b"}, "table=or ders is not the name of a table"},
		{store.Mirror{Table: "t", Old: "a.b", New: "b"}, "a.b is not the name of a column"},
		{store.Mirror{Table: "t", Old: "a", New: `"old"`}, "cannot be in a mirror"},
		{store.Mirror{Table: "t", Old: "tg_op", New: "b"}, "cannot be in a mirror"},
		{store.Mirror{Table: "t", Old: "a", New: "b", Up: "a); DROP TABLE t; SELECT (a", Down: "b"}, "there is no ( for this )"},
		{store.Mirror{Table: "t", Old: "a", New: "b", Up: "a; SELECT a", Down: "b"}, "is not one expression"},
		{store.Mirror{Table: "t", Old: "a", New: "b", Up: "'a'", Down: "b"}, "does not use the column a"},
		{store.Mirror{Table: "t", Old: "a", New: "b", Up: "a || $mirror$x$mirror$", Down: "b"}, "use another one"},
		{store.Mirror{Table: "t", Old: "a", New: "b", Up: "a || 'x", Down: "b"}, "is not closed"},
	} {
		c.mirror.Line = 4
		_, err := postgres.Kind().Parse(store.Section{Text: "SELECT 1", Line: 1, Shape: store.Whole, Begins: []store.Mirror{c.mirror}})
		wrong := wantError[*store.SyntaxError](t, err)
		if wrong.Line != 4 || !strings.Contains(wrong.Message, c.want) {
			t.Errorf("line %d: %s\nwant %s", wrong.Line, wrong.Message, c.want)
		}
	}
}
