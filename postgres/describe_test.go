package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

const structure = `
CREATE TYPE state AS ENUM ('new', 'paid'); CREATE DOMAIN cents AS bigint NOT NULL CHECK (VALUE >= 0);
CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL DEFAULT 'x');
CREATE TABLE orders (id uuid PRIMARY KEY, person bigint REFERENCES people, price cents, state state,
	twice bigint GENERATED ALWAYS AS (price * 2) STORED, CHECK (price < 100));
CREATE INDEX orders_state ON orders (state) WHERE state = 'new';
CREATE UNIQUE INDEX orders_lower ON people (lower(name));
CREATE VIEW paid AS SELECT id FROM orders WHERE state = 'paid';
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION tf();
CREATE SEQUENCE s START 7`

func TestDescribeSeesEveryChange(t *testing.T) {
	s, url := prepared(t)
	run(t, url, structure)
	describe := func() []string {
		t.Helper()
		lines, err := s.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
	before := describe()
	for _, want := range []string{
		"column people.id bigint not null identity always", `column people.name text collate "C" not null default 'x'::text`,
		"constraint orders.orders_person_fkey FOREIGN KEY (person) REFERENCES public.people(id)",
		"enum state 'new', 'paid'", "domain cents bigint not null CHECK ((VALUE >= 0))", "table orders",
		"index orders_state on public.orders USING btree (state) WHERE (state = 'new'::public.state)",
	} {
		if !slices.Contains(before, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(before, "\n"))
		}
	}
	for _, change := range []string{
		"ALTER TYPE state ADD VALUE 'lost'", "ALTER TABLE people ALTER name DROP NOT NULL", "ALTER TABLE people ALTER name SET DEFAULT 'y'",
		"ALTER TABLE orders ADD c int", "DROP INDEX orders_state", "CREATE OR REPLACE VIEW paid AS SELECT id FROM orders",
		"CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT a + 1'", "ALTER TABLE orders DISABLE TRIGGER t",
		"ALTER SEQUENCE s INCREMENT 2", "ALTER TABLE people ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON people USING (true)",
		"ALTER TABLE orders DROP CONSTRAINT orders_price_check", "ALTER DOMAIN cents DROP NOT NULL", "ALTER TABLE orders ALTER person TYPE int",
	} {
		was := describe()
		run(t, url, change)
		if slices.Equal(was, describe()) {
			t.Errorf("%s is not seen", change)
		}
	}
	other, otherURL := prepared(t)
	run(t, otherURL, "CREATE TABLE first (id int)")
	run(t, otherURL, structure)
	run(t, otherURL, "DROP TABLE first")
	lines, err := other.Describe(t.Context())
	if err != nil || !slices.Equal(lines, before) {
		t.Errorf("the same structure is described in another way: %v\n%s", err, strings.Join(lines, "\n"))
	}
}

func TestEstimateComesFromStatistics(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE big (id int PRIMARY KEY, n int); INSERT INTO big SELECT generate_series(1, 20000); ANALYZE")
	for _, c := range []struct {
		sql   string
		shape store.Shape
		disk  bool
		note  string
	}{
		{"UPDATE big SET n = 1", store.Stretched, true, "writes a new version"},
		{"CREATE INDEX CONCURRENTLY i ON big (n)", store.Whole, true, "beside readers and writers"},
		{"ALTER TABLE big ALTER n SET NOT NULL", store.Whole, false, "under a lock"},
		{"ALTER TABLE big ALTER n TYPE bigint", store.Whole, true, "rewrites"},
	} {
		e, err := s.Estimate(t.Context(), action(c.shape, c.sql))
		if err != nil || e.Rows != 20000 || (e.Bytes > 100000) != c.disk || !strings.Contains(e.Note, c.note) {
			t.Errorf("%s: %+v, %v", c.sql, e, err)
		}
	}
	run(t, url, "CREATE TABLE fresh (id int, about text) PARTITION BY RANGE (id); CREATE TABLE fresh_1 PARTITION OF fresh FOR VALUES FROM (0) TO (50000)"+
		" WITH (autovacuum_enabled = off); CREATE TABLE fresh_2 PARTITION OF fresh FOR VALUES FROM (50000) TO (100000) WITH (autovacuum_enabled = off);"+
		" INSERT INTO fresh SELECT g, repeat('x', 200) FROM generate_series(0, 99999) g")
	if e, err := s.Estimate(t.Context(), action(store.Stretched, "UPDATE fresh SET about = 'y'")); err != nil || e.Rows < 80000 || e.Rows > 120000 {
		t.Errorf("100,000 rows without statistics: %+v, %v", e, err)
	}
	if e, err := s.Estimate(t.Context(), action(store.Whole, "ALTER TABLE big ADD x int")); err != nil || e.Rows != 0 {
		t.Errorf("a change of the catalogue: %+v, %v", e, err)
	}
}

func TestOwnSessionsAreMarked(t *testing.T) {
	s, url := prepared(t)
	connect(t, url)
	other, err := s.Sessions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, session := range other {
		if session.Own {
			own++
		}
	}
	if own != 1 || len(other) != 2 {
		t.Errorf("%d own of %d sessions, want 1 of 2: %+v", own, len(other), other)
	}
}
