package sqlaction

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

var factNames = map[store.FactKind]string{
	store.Destroys: "destroys", store.BreaksInsert: "breaks insert", store.Blocks: "blocks", store.Risky: "risky",
}

// factCases: what is known of a section, as "LINE KIND OBJECT".
var factCases = []struct {
	name string
	d    sqltext.Dialect // 0: both
	text string
	each bool
	want []string
}{
	{name: "nothing to say", text: "CREATE TABLE t (a int); SELECT 1; INSERT INTO t VALUES (1)"},
	{name: "drop tables", text: "\nDROP TABLE IF EXISTS shop.orders", want: []string{"2 destroys shop.orders"}},
	{name: "drop several", text: "DROP VIEW v, w CASCADE", d: sqltext.Postgres, want: []string{"1 destroys v", "1 destroys w", "1 risky v"}},
	{name: "drop type", text: "DROP TYPE e; DROP EXTENSION x; DROP FUNCTION f(int)", d: sqltext.Postgres, want: []string{"1 destroys e", "1 destroys x", "1 destroys f"}},
	{name: "replaced view", text: "DROP VIEW v; CREATE VIEW v AS SELECT 1"},
	{name: "replaced table", text: "DROP TABLE t; CREATE TABLE t (a int)", want: []string{"1 destroys t"}},
	{name: "own table", text: "CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER TABLE t ADD b int NOT NULL; ALTER TABLE t DROP COLUMN a; UPDATE t SET b = 1; DROP TABLE t"},
	{name: "SQLite's rebuild", text: "CREATE TABLE n (a int); INSERT INTO n SELECT a FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t; CREATE INDEX i ON t (a)", want: []string{"1 risky t"}},
	{name: "another table takes the name", text: "DROP TABLE t; ALTER TABLE o RENAME TO t", want: []string{"1 destroys t", "1 destroys o"}},
	{name: "types with a length", text: "ALTER TABLE o ADD a mine DEFAULT 'x'::mine(3), ADD b mine DEFAULT CAST('x' AS mine(3))", d: sqltext.Postgres},
	{name: "drop columns", text: "ALTER TABLE orders DROP COLUMN a;\nALTER TABLE orders DROP b", want: []string{"1 destroys orders.a", "2 destroys orders.b"}},
	{name: "several actions", text: "ALTER TABLE o\n ADD a numeric(10,2),\n DROP COLUMN IF EXISTS b,\n DROP CONSTRAINT c", d: sqltext.Postgres, want: []string{"3 destroys o.b"}},
	{name: "renames", text: "ALTER TABLE o RENAME COLUMN a TO b; ALTER TABLE o RENAME c TO d; ALTER TABLE o RENAME TO p", want: []string{"1 destroys o.a", "1 destroys o.c", "1 destroys o"}},
	{name: "other renames", text: "ALTER TABLE o RENAME CONSTRAINT a TO b; ALTER INDEX i RENAME TO j; ALTER SCHEMA s RENAME TO t; ALTER VIEW v RENAME TO w; ALTER TABLE o SET SCHEMA x; ALTER SEQUENCE q SET SCHEMA x",
		d: sqltext.Postgres, want: []string{"1 destroys s", "1 destroys v", "1 destroys o", "1 destroys q"}},
	{name: "types", text: "ALTER TYPE e RENAME VALUE 'a' TO 'b'; ALTER TYPE c DROP ATTRIBUTE IF EXISTS x; ALTER TYPE e RENAME TO f", d: sqltext.Postgres, want: []string{"1 destroys e.a", "1 destroys c.x", "1 destroys e"}},
	{name: "new enum value", text: "ALTER TYPE e ADD VALUE 'x'; SELECT 1", d: sqltext.Postgres, want: []string{"1 risky e"}},
	{name: "new enum value, each", text: "ALTER TYPE e ADD VALUE 'x'; SELECT 1", each: true},
	{name: "new enum value at the end", text: "ALTER TYPE e ADD VALUE 'x'"},
	{name: "truncate", text: "TRUNCATE a, b CASCADE", d: sqltext.Postgres, want: []string{"1 destroys a", "1 destroys b", "1 risky a"}},
	{name: "rows", text: "UPDATE o SET a = 1 WHERE a = 2; DELETE FROM o WHERE a", want: []string{"1 blocks o", "1 blocks o"}},
	{name: "all rows", text: "DELETE FROM o", want: []string{"1 destroys o", "1 blocks o"}},
	{name: "not null", text: "ALTER TABLE o ADD COLUMN a text NOT NULL", want: []string{"1 breaks insert o.a"}},
	{name: "not null with default null", text: "ALTER TABLE o ADD a text DEFAULT NULL NOT NULL", want: []string{"1 breaks insert o.a"}},
	{name: "not null with a default", text: "ALTER TABLE o ADD COLUMN IF NOT EXISTS a text NOT NULL DEFAULT 'x'"},
	{name: "check for not null only", text: "ALTER TABLE o ADD a text CHECK (a IS NOT NULL)", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "volatile default", text: "ALTER TABLE o ADD a uuid DEFAULT gen_random_uuid() NOT NULL", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "unknown default", text: "ALTER TABLE o ADD a int DEFAULT mine(1)", d: sqltext.Postgres, want: []string{"1 risky o.a"}},
	{name: "steady defaults", text: "ALTER TABLE o ADD a timestamptz DEFAULT now(), ADD b numeric(3,1) DEFAULT 1::numeric(3,1) NOT NULL, ADD c text DEFAULT ('x' || lower('Y')), ADD d jsonb DEFAULT '{}'::jsonb"},
	{name: "default in brackets", text: "ALTER TABLE o ADD a float DEFAULT (1 + random())", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "serial", text: "ALTER TABLE o ADD a bigserial; ALTER TABLE o ADD b int GENERATED ALWAYS AS IDENTITY; ALTER TABLE o ADD c int GENERATED ALWAYS AS (d + 1) STORED",
		d: sqltext.Postgres, want: []string{"1 blocks o.a", "1 blocks o.b", "1 blocks o.c"}},
	{name: "column with an index", text: "ALTER TABLE o ADD a int UNIQUE, ADD b int PRIMARY KEY", d: sqltext.Postgres, want: []string{"1 blocks o.a", "1 breaks insert o.b", "1 blocks o.b"}},
	{name: "numbered column", text: "ALTER TABLE o ADD a int GENERATED BY DEFAULT AS IDENTITY (START 5) PRIMARY KEY", d: sqltext.Postgres, want: []string{"1 blocks o.a", "1 blocks o.a"}},
	{name: "foreign table", text: "ALTER FOREIGN TABLE o ADD a uuid DEFAULT gen_random_uuid(), DROP b", d: sqltext.Postgres, want: []string{"1 destroys o.b"}},
	{name: "own index", text: "CREATE INDEX CONCURRENTLY i ON o (a); DROP INDEX i"},
	{name: "column with a foreign key", text: "ALTER TABLE o ADD a int REFERENCES u; ALTER TABLE o ADD b int DEFAULT 1 REFERENCES u", d: sqltext.Postgres, want: []string{"1 blocks o.b"}},
	{name: "set not null", text: "ALTER TABLE o ALTER COLUMN a SET NOT NULL", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "the safe way to set not null", each: true,
		text: "ALTER TABLE o ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE o VALIDATE CONSTRAINT c; ALTER TABLE o ALTER a SET NOT NULL; ALTER TABLE o DROP CONSTRAINT c"},
	{name: "the same without each", text: "ALTER TABLE o ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE o VALIDATE CONSTRAINT c; ALTER TABLE o ALTER a SET NOT NULL", d: sqltext.Postgres, want: []string{"1 blocks o.c"}},
	{name: "not validated", each: true, text: "ALTER TABLE o ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE o ALTER a SET NOT NULL", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "another column validated", each: true, text: "ALTER TABLE o ADD CONSTRAINT c CHECK (b IS NOT NULL) NOT VALID; ALTER TABLE o VALIDATE CONSTRAINT c; ALTER TABLE o ALTER a SET NOT NULL", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "another condition", each: true, text: "ALTER TABLE o ADD CONSTRAINT c CHECK (a IS NOT NULL OR b) NOT VALID; ALTER TABLE o VALIDATE CONSTRAINT c; ALTER TABLE o ALTER a SET NOT NULL", d: sqltext.Postgres, want: []string{"1 blocks o.a"}},
	{name: "drop not null", text: "ALTER TABLE o ALTER a DROP NOT NULL, ALTER b DROP DEFAULT, ALTER c SET DEFAULT 1", d: sqltext.Postgres, want: []string{"1 risky o.a", "1 risky o.b"}},
	{name: "column types", text: "ALTER TABLE o ALTER a TYPE bigint, ALTER COLUMN b SET DATA TYPE text", d: sqltext.Postgres, want: []string{"1 blocks o.a", "1 blocks o.b"}},
	{name: "constraints", text: "ALTER TABLE o ADD CONSTRAINT a CHECK (x > 0), ADD CONSTRAINT b FOREIGN KEY (x) REFERENCES u, ADD UNIQUE (x), ADD PRIMARY KEY (x), ADD EXCLUDE USING gist (x WITH =)",
		d: sqltext.Postgres, want: []string{"1 blocks o.a", "1 blocks o.b", "1 blocks o", "1 blocks o", "1 blocks o"}},
	{name: "safe constraints", text: "ALTER TABLE o ADD CONSTRAINT b FOREIGN KEY (x) REFERENCES u NOT VALID, ADD CONSTRAINT c UNIQUE USING INDEX i, ADD PRIMARY KEY USING INDEX j"},
	{name: "indexes", text: "CREATE INDEX i ON o (a); CREATE INDEX CONCURRENTLY j ON o (a)", d: sqltext.Postgres, want: []string{"1 blocks o"}},
	{name: "unique index", text: "CREATE UNIQUE INDEX i ON o (a)", d: sqltext.Postgres, want: []string{"1 blocks o", "1 risky o"}},
	{name: "unique index in SQLite", text: "CREATE UNIQUE INDEX i ON o (a)", d: sqltext.SQLite, want: []string{"1 risky o"}},
	{name: "drop index", text: "DROP INDEX i; DROP INDEX CONCURRENTLY j", d: sqltext.Postgres, want: []string{"1 blocks i"}},
	{name: "upkeep", text: "REINDEX TABLE a; REINDEX TABLE CONCURRENTLY b; VACUUM FULL c; VACUUM (FULL, ANALYZE) d; VACUUM (FULL off) e; VACUUM f; CLUSTER g; REFRESH MATERIALIZED VIEW h; REFRESH MATERIALIZED VIEW CONCURRENTLY i; LOCK TABLE j",
		d: sqltext.Postgres, want: []string{"1 blocks a", "1 blocks c", "1 blocks d", "1 blocks g", "1 blocks h", "1 blocks j"}},
	{name: "SQLite's vacuum", text: "VACUUM", d: sqltext.SQLite, want: []string{"1 blocks "}},
	{name: "partitions", text: "ALTER TABLE a ATTACH PARTITION b FOR VALUES IN (1); ALTER TABLE a DETACH PARTITION b; ALTER TABLE a DETACH PARTITION c CONCURRENTLY; ALTER TABLE a DETACH PARTITION c FINALIZE; ALTER TABLE a SET UNLOGGED",
		d: sqltext.Postgres, want: []string{"1 risky a", "1 blocks a", "1 blocks a"}},
	{name: "long names", text: "SELECT a123456789_123456789_123456789_123456789_123456789_123456789_12 AS a123456789_123456789_123456789_123456789_123456789_123456789_123;\nSELECT 1 AS \"a123456789_123456789_123456789_123456789_123456789_123456789_123\"",
		d: sqltext.Postgres, want: []string{"1 risky a123456789_123456789_123456789_123456789_123456789_123456789_123"}},
	{name: "names in strings", d: sqltext.Postgres, text: "SELECT 'DROP TABLE a', $$DROP TABLE b$$ -- DROP TABLE c"},
}

func TestFacts(t *testing.T) {
	for _, c := range factCases {
		dialects := []sqltext.Dialect{c.d}
		if c.d == 0 {
			dialects = []sqltext.Dialect{sqltext.Postgres, sqltext.SQLite}
		}
		for _, d := range dialects {
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				section := store.Section{File: "f.sql", Line: 1, Text: c.text, Shape: store.Whole, Each: c.each}
				if got := factsOf(t, d, section); !slices.Equal(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
			})
		}
	}
}

func factsOf(t *testing.T, d sqltext.Dialect, section store.Section) []string {
	t.Helper()
	parsed, err := Parse(d, section)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, fact := range parsed.Facts {
		if fact.Message == "" {
			t.Errorf("fact %+v says nothing", fact)
		}
		out = append(out, fmt.Sprintf("%d %s %s", fact.Line, factNames[fact.Kind], fact.Object))
	}
	return out
}

func TestFactsOfBackfills(t *testing.T) {
	for text, want := range map[string][]string{
		"UPDATE o SET a = 1 WHERE a IS NULL":         nil,
		"DELETE FROM o WHERE a":                      {"7 risky o"},
		"DELETE FROM o":                              {"7 destroys o"},
		"INSERT INTO p SELECT * FROM o WHERE :range": nil,
	} {
		for _, d := range []sqltext.Dialect{sqltext.Postgres, sqltext.SQLite} {
			section := store.Section{File: "f.sql", Line: 7, Text: text, Shape: store.Stretched, Table: "o"}
			if got := factsOf(t, d, section); !slices.Equal(got, want) {
				t.Errorf("%s %q: %q, want %q", d, text, got, want)
			}
		}
	}
}
