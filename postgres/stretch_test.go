package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// sweep performs a stretched action to its end and gives the sizes of its
// stretches.
func sweep(t *testing.T, s store.Store, a store.Action, size int) []int64 {
	t.Helper()
	var sizes []int64
	var cursor []byte
	for range 100 {
		p, err := s.Do(t.Context(), store.Task{Action: a, Size: size, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		sizes, cursor = append(sizes, p.Rows), p.Cursor
		if p.Done {
			return sizes
		}
	}
	t.Fatal("no end after 100 stretches")
	return nil
}

func TestStretchesFollowAnyKey(t *testing.T) {
	for _, c := range []struct{ name, columns, values string }{
		{"integers, also negative", "id bigint PRIMARY KEY", "g - 50"},
		{"text in the database's order", "id text PRIMARY KEY", "chr(33 + g % 90) || g || '''\\'"},
		{"text in another order", `id text COLLATE "und-x-icu" PRIMARY KEY`, "chr(65 + g % 58) || 'ä' || g"},
		{"fixed text", "id char(5) PRIMARY KEY", "g::text"},
		{"uuid", "id uuid PRIMARY KEY", "md5(g::text)::uuid"},
		{"times", "id timestamptz PRIMARY KEY", "'2024-01-31 12:00+01'::timestamptz + g * interval '37.123456 days'"},
		{"dates", "id date PRIMARY KEY", "'2024-01-01'::date + g"},
		{"numbers", "id numeric PRIMARY KEY", "g / 7.0"},
		{"floats", "id float8 PRIMARY KEY", "g / 7.0::float8"},
		{"bytes", "id bytea PRIMARY KEY", "decode(md5(g::text), 'hex')"},
		{"two columns", "a text NOT NULL, id int NOT NULL, PRIMARY KEY (a, id)", "(g % 3)::text, g"},
		{"a quoted name", `"Id or" int PRIMARY KEY`, "g"},
		{"no primary key, a unique index", "x int UNIQUE, id int NOT NULL UNIQUE", "NULL, g"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := prepared(t)
			run(t, url, fmt.Sprintf("CREATE TABLE t (%s, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT %s FROM generate_series(1, 100) g", c.columns, c.values))
			sizes := sweep(t, s, action(store.Stretched, "UPDATE t SET n = n + 1"), 30)
			if fmt.Sprint(sizes) != "[30 30 30 10]" {
				t.Errorf("stretches of %v rows, want 30 30 30 10", sizes)
			}
			wantRows(t, url, "SELECT count(*)::text FROM t WHERE n = 1", "100")
		})
	}
}

// The next stretch may be another machine's, whose login reads dates otherwise.
func TestCursorIsReadAlikeByEverySession(t *testing.T) {
	_, url := prepared(t)
	run(t, url, "CREATE TABLE t (id date PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT '2024-01-01'::date + g FROM generate_series(0, 99) g")
	var cursor []byte
	for i, style := range []string{"SQL, DMY", "SQL, MDY", "German, DMY", "ISO, YMD"} {
		run(t, url, fmt.Sprintf("ALTER DATABASE %s SET datestyle = '%s'", ask(t, url, "SELECT current_database()::text")[0], style))
		s := opened(t, store.Settings{URL: url})
		p, err := s.Do(t.Context(), store.Task{Action: action(store.Stretched, "UPDATE t SET n = n + 1"), Size: 30, Cursor: cursor})
		if err != nil || p.Done != (i == 3) {
			t.Fatalf("with %s: %+v, %v", style, p, err)
		}
		cursor = p.Cursor
	}
	wantRows(t, url, "SELECT DISTINCT n::text FROM t", "1")
}

func TestStretchesOfStatementsOfManyForms(t *testing.T) {
	for _, c := range []struct{ name, sql, check, want string }{
		{"alias and from", "UPDATE t AS o SET n = p.v FROM p WHERE p.id = o.id", "SELECT sum(n)::text FROM t", "5050"},
		{"own condition with OR", "UPDATE t SET n = 1 WHERE id < 10 OR id > 90", "SELECT count(*)::text FROM t WHERE n = 1", "19"},
		{"delete", "DELETE FROM t WHERE id % 2 = 0", "SELECT count(*)::text FROM t", "50"},
		{"with the marker", "INSERT INTO q SELECT o.id FROM t o WHERE :range(o)", "SELECT count(*)::text || count(DISTINCT id)::text FROM q", "100100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, url := prepared(t)
			run(t, url, `CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE p (id int, v int); CREATE TABLE q (id int);
				INSERT INTO t SELECT generate_series(1, 100); INSERT INTO p SELECT g, g FROM generate_series(1, 100) g`)
			parsed, err := kindParse(store.Section{File: "f.sql", Line: 1, Text: c.sql, Shape: store.Stretched, Table: "t"})
			if err != nil {
				t.Fatal(err)
			}
			sweep(t, s, parsed, 7)
			wantRows(t, url, c.check, c.want)
		})
	}
}

func TestStretchesOfAPartitionedTable(t *testing.T) {
	s, url := prepared(t)
	run(t, url, `CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);
		CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (50); CREATE TABLE t2 PARTITION OF t DEFAULT;
		INSERT INTO t SELECT generate_series(1, 100)`)
	sweep(t, s, action(store.Stretched, "UPDATE t SET n = n + 1"), 30)
	wantRows(t, url, "SELECT count(*)::text FROM t WHERE n = 1", "100")
}

func TestTablesThatCannotBeCutAreRefusedByName(t *testing.T) {
	s, url := prepared(t)
	run(t, url, `CREATE TABLE keyless (id int, n int); CREATE TABLE nullable (id int UNIQUE, n int);
		CREATE TABLE partial (id int NOT NULL, n int); CREATE UNIQUE INDEX ON partial (id) WHERE id > 0;
		CREATE TABLE t (id int PRIMARY KEY, n int); CREATE VIEW v AS SELECT * FROM t`)
	for sql, want := range map[string]string{
		"UPDATE keyless SET n = 1":    "keyless has no primary key",
		"UPDATE nullable SET n = 1":   "nullable has no primary key",
		"UPDATE partial SET n = 1":    "partial has no primary key",
		"UPDATE v SET n = 1":          "v is a view",
		"UPDATE nothing SET n = 1":    "nothing does not exist",
		"UPDATE t SET id = id + 1000": "changes id",
	} {
		_, err := s.Do(t.Context(), store.Task{Action: action(store.Stretched, sql), Size: 5, Record: noted})
		if failed := wantError[*store.StatementError](t, err); !strings.Contains(failed.Message, want) {
			t.Errorf("%s: %q, want %q in it", sql, failed.Message, want)
		}
	}
	if isNoted(t, s) {
		t.Error("noted")
	}
}

func TestFaultInAStretchIsAtItsLineAsWritten(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT generate_series(1, 20)")
	for sql, line := range map[string]int{
		"UPDATE t\nSET n = wrong\nWHERE n IS NULL":                     2,
		"UPDATE t\nSET n = 1\nWHERE n IS NULL\nRETURNING 'ä€😀', wrong": 4,
		"UPDATE t SET n = 1\nWHERE n IS NULL\n  AND wrong > 1":         3,
	} {
		_, err := s.Do(t.Context(), store.Task{Action: action(store.Stretched, sql), Size: 5, Cursor: []byte(`["3"]`)})
		if failed := wantError[*store.StatementError](t, err); failed.Line != line {
			t.Errorf("%s: line %d, want %d", sql, failed.Line, line)
		}
	}
}

func TestRestartInTheMiddleOfABackfill(t *testing.T) {
	server := testserver.OwnPostgres(t)
	url := server.NewURL(t)
	s := opened(t, store.Settings{URL: url})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, url, "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT generate_series(1, 40)")
	work := func(sql string) (store.Progress, error) {
		view, err := s.Look(t.Context(), "cursor")
		if err != nil {
			return store.Progress{}, err
		}
		var cursor []byte
		if len(view.Notes) > 0 {
			cursor = view.Notes[0].Value
		}
		return s.Do(t.Context(), store.Task{Action: action(store.Stretched, sql), Size: 10, Cursor: cursor, Session: "backfill",
			Record: func(p store.Progress) []store.Note {
				return []store.Note{{Key: "cursor", Rev: store.Any, Value: p.Cursor}}
			}})
	}
	if _, err := work("UPDATE t SET n = n + 1"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := work("UPDATE t SET n = n + 1 WHERE pg_sleep(60) IS NOT NULL")
		ended <- err
	}()
	watcher := opened(t, store.Settings{URL: url})
	await(t, watcher, "backfill")
	server.Restart(t)
	unreachable := wantError[*store.UnreachableError](t, <-ended)
	if !strings.Contains(unreachable.Place, "127.0.0.1") {
		t.Errorf("place %q", unreachable.Place)
	}
	for {
		p, err := work("UPDATE t SET n = n + 1")
		if err != nil {
			t.Fatal("after the restart: ", err)
		}
		if p.Done {
			break
		}
	}
	wantRows(t, url, "SELECT DISTINCT n::text FROM t", "1")
}
