package sqlite

import (
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// sweep does all stretches and gives how many there were and their rows.
func sweep(t *testing.T, s *Store, action store.Action, size int) (stretches int, rows int64) {
	t.Helper()
	var cursor []byte
	for {
		p, err := s.Do(t.Context(), store.Task{Action: action, Size: size, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		stretches++
		rows += p.Rows
		if p.Done {
			return stretches, rows
		}
		if stretches > 100 {
			t.Fatalf("a hundred stretches, cursor %s", p.Cursor)
		}
		cursor = p.Cursor
	}
}

func TestStretchesFollowEveryKindOfKey(t *testing.T) {
	const ten = ` WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10) `
	for name, table := range map[string]struct{ create, fill, column string }{
		"integer":            {`(id INTEGER PRIMARY KEY, x)`, `SELECT i * 7, 0`, "id"},
		"negative":           {`(id INTEGER PRIMARY KEY, x)`, `SELECT i - 5, 0`, "id"},
		"no key":             {`(id, x)`, `SELECT NULL, 0`, "rowid"},
		"text":               {`(id TEXT NOT NULL PRIMARY KEY, x)`, `SELECT 'it''s ü ' || (i % 3) || i, 0`, "id"},
		"text without rowid": {`(id TEXT PRIMARY KEY, x) WITHOUT ROWID`, `SELECT 'k"' || i, 0`, "id"},
		"key with NULLs":     {`(id TEXT PRIMARY KEY, x)`, `SELECT NULL, 0`, "rowid"},
		"bytes":              {`(id BLOB NOT NULL PRIMARY KEY, x) WITHOUT ROWID`, `SELECT CAST(char(i, 0, i) AS BLOB), 0`, "id"},
		"real":               {`(id REAL NOT NULL PRIMARY KEY, x)`, `SELECT i / 3.0, 0`, "id"},
		"mixed types":        {`(id NOT NULL PRIMARY KEY, x)`, `SELECT CASE i % 3 WHEN 0 THEN i WHEN 1 THEN 'a' || i ELSE CAST(i AS BLOB) END, 0`, "id"},
		"no case":            {`(id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, x)`, `SELECT char(64 + i + 32 * (i % 2)), 0`, "id"},
		"composite":          {`(a INTEGER, b TEXT, id, x, PRIMARY KEY (b, a)) WITHOUT ROWID`, `SELECT i, 'b' || (i % 3), i, 0`, "b, a"},
		"quoted":             {`("the id" TEXT NOT NULL PRIMARY KEY, x)`, `SELECT 'a' || i, 0`, `"the id"`},
		"rowid is a column":  {`(rowid TEXT, x)`, `SELECT 'same', 0`, "_rowid_"},
	} {
		t.Run(name, func(t *testing.T) {
			s := prepared(t, "")
			run(t, s, `CREATE TABLE "my items" `+table.create+`; INSERT INTO "my items"`+ten+table.fill+` FROM n`)
			update := act(store.Stretched, `UPDATE "my items" AS m SET x = x + 1`)
			for i, size := range []int{1, 3, 10, 11} {
				stretches, rows := sweep(t, s, update, size)
				if want := (10 + size - 1) / size; stretches != want || rows != 10 {
					t.Errorf("size %d: %d stretches, %d rows, want %d and 10", size, stretches, rows, want)
				}
				if x := ask[int](t, s, `SELECT x FROM "my items" GROUP BY x`); !slices.Equal(x, []int{i + 1}) {
					t.Errorf("size %d: rows were changed %v times, want %d", size, x, i+1)
				}
			}
			if _, rows := sweep(t, s, act(store.Stretched, `DELETE FROM "my items" WHERE x > 0`), 4); rows != 10 {
				t.Errorf("%d rows deleted, want 10", rows)
			}
		})
	}
}

func TestStretchesCutOnlyTheirTable(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE a (id INTEGER PRIMARY KEY, total INTEGER);
CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER, n INTEGER);
INSERT INTO a (id) VALUES (1), (2), (3);
INSERT INTO b VALUES (1, 3, 5), (2, 3, 6), (3, 1, 7);
CREATE TABLE copy (id INTEGER PRIMARY KEY, total)`)
	sweep(t, s, act(store.Stretched, `UPDATE a SET total = (SELECT sum(n) FROM b WHERE b.a = a.id) WHERE total IS NULL`), 1)
	if totals := ask[string](t, s, `SELECT id || ':' || coalesce(total, '-') FROM a`); !slices.Equal(totals, []string{"1:7", "2:-", "3:11"}) {
		t.Errorf("totals %q", totals)
	}
	into := parsedFor(t, `INSERT INTO copy SELECT o.id, o.total FROM a o WHERE :range(o) ON CONFLICT DO NOTHING`, "a")
	if stretches, rows := sweep(t, s, into, 2); stretches != 2 || rows != 3 {
		t.Errorf("INSERT .. SELECT: %d stretches, %d rows", stretches, rows)
	}
}

func parsedFor(t *testing.T, text, table string) store.Action {
	t.Helper()
	p, err := Kind().Parse(store.Section{File: "0001_test.sql", Line: 1, Text: text, Shape: store.Stretched, Table: table})
	if err != nil {
		t.Fatal(err)
	}
	return p.Action
}

func TestWhatHasNoKeyIsRefusedByName(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE base (id INTEGER PRIMARY KEY, x);
CREATE VIEW seen AS SELECT id, x FROM base;
CREATE TRIGGER through INSTEAD OF UPDATE ON seen BEGIN UPDATE base SET x = new.x WHERE id = old.id; END;
CREATE VIRTUAL TABLE words USING fts5(word);
CREATE TABLE hidden (rowid, _rowid_, oid, x);
CREATE TABLE fixed (k TEXT PRIMARY KEY, x) WITHOUT ROWID`)
	for text, want := range map[string]string{
		`UPDATE seen SET x = 1`:         "seen cannot be cut into stretches: it is a view",
		`UPDATE words SET word = 'a'`:   "words cannot be cut into stretches: it is a virtual",
		`UPDATE hidden SET x = 1`:       "hide the rowid",
		`UPDATE gone SET x = 1`:         "there is no such table",
		`UPDATE fixed SET k = 'a' || k`: "changes the primary key",
		`UPDATE base SET id = id + 1`:   "changes the primary key",
	} {
		_, err := s.Do(t.Context(), store.Task{Action: act(store.Stretched, text), Size: 2, Record: recorded("done")})
		if err == nil || !strings.Contains(err.Error(), want) || hasNote(t, s, "done") {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
}

func TestCursorsThatAreNotOursAreRefused(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 0), (2, 0)`)
	for _, cursor := range []string{`nonsense`, `[]`, `["1","2"]`, `["1) OR (1"]`, `["'a' OR 1"]`, `["NULL"]`, `["x'0"]`} {
		_, err := s.Do(t.Context(), store.Task{Action: act(store.Stretched, `UPDATE t SET x = 1`), Size: 1, Cursor: []byte(cursor)})
		if err == nil {
			t.Errorf("the cursor %s was taken", cursor)
		}
	}
	if n := ask[int](t, s, `SELECT sum(x) FROM t`); n[0] != 0 {
		t.Errorf("%d rows were changed", n[0])
	}
}

func TestQueriesDescribeRows(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT, data BLOB, at DATETIME, r REAL);
INSERT INTO t VALUES (17, 'a@x', x'00ff', '2026-01-02 03:04:05', 1.5), (18, NULL, NULL, NULL, NULL);
INSERT INTO t (id, email) VALUES (19, 'two
lines and `+strings.Repeat("much ", 100)+`')`)
	p, err := s.Do(t.Context(), store.Task{Action: act(store.Query, `SELECT * FROM t WHERE id < 19; SELECT id, email FROM t WHERE id = 19`), Sample: 3})
	if err != nil || p.Rows != 3 || len(p.Sample) != 3 {
		t.Fatalf("progress %+v, error %v", p, err)
	}
	want := "id=17, email=a@x, data=x'00ff', at=2026-01-02T03:04:05Z, r=1.5"
	if p.Sample[0] != want || p.Sample[1] != "id=18, email=NULL, data=NULL, at=NULL, r=NULL" {
		t.Errorf("lines %q, want the first %q", p.Sample[:2], want)
	}
	if line := p.Sample[2]; !strings.HasPrefix(line, "id=19, email=two lines and much") || len([]rune(line)) != longestLine+1 {
		t.Errorf("a long line of %d characters: %q", len([]rune(line)), line)
	}
}

func TestDescriptionsAreNormal(t *testing.T) {
	a, b := prepared(t, ""), prepared(t, "")
	run(t, a, "CREATE TABLE t (\n  id INTEGER PRIMARY KEY, -- the key\n  x TEXT);\nCREATE INDEX i ON t (x)")
	run(t, b, "CREATE TABLE t (id INTEGER   PRIMARY KEY, x TEXT); CREATE INDEX i\nON t(x)")
	first, errA := a.Describe(t.Context())
	other, errB := b.Describe(t.Context())
	if errA != nil || errB != nil || !slices.Equal(first, other) || len(first) != 2 {
		t.Errorf("%q (%v), %q (%v)", first, errA, other, errB)
	}
	run(t, b, `ALTER TABLE t ADD COLUMN y`)
	if other, _ = b.Describe(t.Context()); slices.Equal(first, other) {
		t.Error("a new column makes no difference")
	}
}

func TestEstimatesComeFromStatistics(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (id INTEGER PRIMARY KEY, x); CREATE INDEX i ON t (x);
INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i * 10, i FROM n LIMIT 12000`)
	action := act(store.Stretched, `UPDATE t SET x = 1 WHERE x IS NULL`)
	for _, want := range []int64{120000, 12000} {
		e, err := s.Estimate(t.Context(), action)
		if err != nil || e.Rows != want || e.Note == "" {
			t.Errorf("estimate %+v, error %v, want %d rows", e, err, want)
		}
		run(t, s, `ANALYZE`)
	}
}

func TestTheLedgerIsReadableWithPlainSQL(t *testing.T) {
	s := prepared(t, "")
	for key, value := range map[string]string{
		"ledger/0001_a/expand":   `{"begun":"2026-11-20T10:00:00Z","done":"2026-11-20T10:00:01Z","rows":3,"operator":"ana"}`,
		"ledger/0002_b/backfill": `{"begun":"2026-11-20T10:00:00Z"}`,
	} {
		if _, err := s.Swap(t.Context(), nil, store.Note{Key: key, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	lines := ask[string](t, s, `SELECT concat_ws(' ', migration, step, state, rows, operator, written LIKE '20__-__-__ __:__:__.___') FROM stopover_ledger`)
	if want := []string{"0001_a expand done 3 ana 1", "0002_b backfill begun 0 1"}; !slices.Equal(lines, want) {
		t.Errorf("the ledger reads %q, want %q", lines, want)
	}
	for _, n := range []store.Note{{Key: "a", Value: []byte(`not JSON`)}, {Key: "", Value: []byte(`1`)}} {
		if _, err := s.Swap(t.Context(), nil, n); err == nil {
			t.Errorf("the note %q with %s was taken", n.Key, n.Value)
		}
	}
}

func TestScratchIsEmptyAndGoesAway(t *testing.T) {
	s, err := Kind().Scratch(t.Context(), store.Settings{URL: "sqlite:somewhere/shop.db?mode=ro&_pragma=foreign_keys(1)"})
	if err != nil {
		t.Fatal(err)
	}
	scratch := s.(*Store)
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, scratch, `CREATE TABLE t (a)`)
	p, err := s.Do(t.Context(), store.Task{Action: act(store.Query, `SELECT 1 FROM pragma_foreign_keys WHERE foreign_keys = 1`)})
	if err != nil || p.Rows != 1 {
		t.Errorf("the PRAGMAs of the URL are not those of the scratch store: %d, %v", p.Rows, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if gone, err := scratch.place.missing(); err == nil || !gone {
		t.Errorf("the scratch file is still there: %t, %v", gone, err)
	}
}
