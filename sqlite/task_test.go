package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// ask gives one column of a query, run beside the store.
func ask[T any](t *testing.T, s *Store, query string) []T {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.place.file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all, err := column1[T](t.Context(), db, query)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func recorded(key string) func(store.Progress) []store.Note {
	return func(store.Progress) []store.Note { return []store.Note{{Key: key, Value: []byte(`1`)}} }
}

func hasNote(t *testing.T, s *Store, key string) bool {
	t.Helper()
	view, err := s.Look(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return len(view.Notes) == 1
}

func TestErrorsNameTheLineOfTheFault(t *testing.T) {
	s := prepared(t, "")
	for text, want := range map[string]struct {
		line    int
		message string
		code    string
	}{
		"CREATE TABLE a (x);\n\n-- why\nCREATE TABL\n  b (y)":              {4, `near "TABL": syntax error`, "SQLITE_ERROR"},
		"CREATE TABLE a (x);\nINSERT INTO a\n SELECT z\n FROM a":           {3, "no such column: z", "SQLITE_ERROR"},
		"CREATE TABLE a (x);\nSELECT 1\n  FROM\n  gone":                    {4, "no such table: gone", "SQLITE_ERROR"},
		"CREATE TABLE a (x);\n/* two\nlines */ INSERT INTO a VALUES (1,2)": {3, "table a has 1 columns but 2 values were supplied", "SQLITE_ERROR"},
		"CREATE TABLE a (x UNIQUE);\nINSERT INTO a VALUES (1),\n(1)":       {2, "UNIQUE constraint failed: a.x", "SQLITE_CONSTRAINT"},
		"CREATE TABLE a (x);\nALTER TABLE a\n ADD COLUMN X":                {3, "duplicate column name: X", "SQLITE_ERROR"},
	} {
		_, err := s.Do(t.Context(), store.Task{Action: act(store.Whole, text), Record: recorded("done")})
		failed, ok := errors.AsType[*store.StatementError](err)
		if !ok || failed.Statement != 2 || failed.Line != want.line || failed.Message != want.message || failed.Code != want.code {
			t.Errorf("%q: %#v, want statement 2, line %d, %q (%s)", text, err, want.line, want.message, want.code)
		}
		if n := ask[int](t, s, `SELECT count(*) FROM sqlite_schema WHERE name = 'a'`); n[0] != 0 || hasNote(t, s, "done") {
			t.Errorf("%q: the first statement stayed", text)
		}
	}
}

const parents = `CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (10, 1), (11, 2), (12, 2)`

const rebuild = `CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO parent_new SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE parent_new RENAME TO parent`

func TestARebuiltTableKeepsItsChildren(t *testing.T) {
	for _, each := range []bool{false, true} {
		s := prepared(t, "?_pragma=foreign_keys(1)")
		run(t, s, parents)
		action := act(store.Whole, rebuild)
		tasks := []store.Task{{Action: action, Record: recorded("done")}}
		if each {
			tasks = nil
			for i := range action.Statements() {
				tasks = append(tasks, store.Task{Action: action, Only: i + 1})
			}
		}
		if _, err := s.DoAll(t.Context(), tasks); err != nil {
			t.Fatal(err)
		}
		if ids := ask[int](t, s, `SELECT id FROM child ORDER BY id`); !slices.Equal(ids, []int{10, 11, 12}) {
			t.Errorf("each %t: children after the rebuild: %v", each, ids)
		}
		// Foreign keys are enforced again after it, on the same connection.
		_, err := s.Do(t.Context(), store.Task{Action: act(store.Whole, `INSERT INTO child VALUES (13, 99)`)})
		if _, ok := errors.AsType[*store.StatementError](err); !ok {
			t.Errorf("each %t: an orphan after the rebuild: %v", each, err)
		}
	}
}

func TestADroppedTableMustNotLeaveOrphans(t *testing.T) {
	s := prepared(t, "?_pragma=foreign_keys(1)")
	run(t, s, parents)
	lossy := strings.Replace(rebuild, "FROM parent;", "FROM parent WHERE id < 2;", 1)
	for _, text := range []string{lossy, `DROP TABLE parent`} {
		_, err := s.Do(t.Context(), store.Task{Action: act(store.Whole, text), Record: recorded("done")})
		failed, ok := errors.AsType[*store.StatementError](err)
		if !ok || !strings.Contains(failed.Message, "(child -> parent)") {
			t.Errorf("%q: %v, want orphans of child", text, err)
		}
		if n := ask[int](t, s, `SELECT count(*) FROM parent`); n[0] != 2 || hasNote(t, s, "done") {
			t.Errorf("%q: it stayed", text)
		}
	}
	run(t, s, `DROP TABLE child; DROP TABLE parent`)
}

func TestOldOrphansAreNotThisTasks(t *testing.T) {
	s := prepared(t, "") // not enforced
	run(t, s, parents+`; INSERT INTO child VALUES (13, 99)`)
	run(t, s, rebuild)
	if ids := ask[int](t, s, `SELECT id FROM child`); len(ids) != 4 {
		t.Errorf("children: %v", ids)
	}
}

func TestSettingsOfASectionDoNotReachTheNext(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `PRAGMA recursive_triggers = ON`)
	run(t, s, `CREATE TABLE seen AS SELECT recursive_triggers FROM pragma_recursive_triggers`)
	if on := ask[int](t, s, `SELECT * FROM seen`); on[0] != 0 {
		t.Error("the setting is still on in the next task")
	}
}

func TestStatementsAlone(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (a); INSERT INTO t VALUES (1)`)
	action := act(store.Whole, `PRAGMA auto_vacuum = FULL; VACUUM; PRAGMA journal_mode = WAL`)
	_, err := s.Do(t.Context(), store.Task{Action: action})
	if err == nil || !strings.Contains(err.Error(), "one by one") {
		t.Errorf("all in one transaction: %v", err)
	}
	for i, want := range []store.EffectState{store.Missing, store.Missing, store.Complete} {
		task := store.Task{Action: action, Only: i + 1, Proof: act(store.Query, `SELECT a FROM t WHERE a > 1`), Record: func(store.Progress) []store.Note {
			t.Error("Record was called for a statement alone")
			return nil
		}}
		if _, err := s.Do(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		effect, err := s.Inspect(t.Context(), action, i+1)
		if err != nil || effect.State != want || effect.Because == "" {
			t.Errorf("statement %d: effect %+v, error %v, want state %d", i+1, effect, err, want)
		}
	}
	if mode := ask[int](t, s, `PRAGMA auto_vacuum`); mode[0] != 1 {
		t.Errorf("auto_vacuum is %d: the settings before VACUUM were made on another connection", mode[0])
	}
	proof := act(store.Query, `SELECT a FROM t`)
	_, err = s.Do(t.Context(), store.Task{Action: action, Only: 2, Proof: proof})
	if _, ok := errors.AsType[*store.ViolationError](err); !ok {
		t.Errorf("with a proof that finds something: %v", err)
	}
}

func TestAJournalModeThatCannotBeHadIsAnError(t *testing.T) {
	s := prepared(t, "?_pragma=journal_mode(WAL)")
	other, err := sql.Open("sqlite", "file:"+s.place.file)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := column1[string](t.Context(), other, `SELECT key FROM stopover_note`); err != nil {
		t.Fatal(err)
	}
	_, err = s.Do(t.Context(), store.Task{Action: act(store.Whole, `PRAGMA journal_mode = DELETE`), Only: 1, Wait: 50e6})
	_, isLock := errors.AsType[*store.LockedError](err)
	_, isStatement := errors.AsType[*store.StatementError](err)
	if !isLock && !isStatement {
		t.Errorf("error %v, want that the mode stays", err)
	}
	// Here SQLite answers without an error, and does nothing.
	defensive := prepared(t, "?_defensive=1")
	_, err = defensive.Do(t.Context(), store.Task{Action: act(store.Whole, `PRAGMA journal_mode = OFF`), Only: 1})
	if _, ok := errors.AsType[*store.StatementError](err); !ok || !strings.Contains(err.Error(), "stays delete") {
		t.Errorf("error %v, want that the mode stays", err)
	}
}

func TestAFullDiskIsAClearErrorAndLeavesNothing(t *testing.T) {
	s := prepared(t, "?_pragma=max_page_count(40)")
	run(t, s, `CREATE TABLE t (a TEXT)`)
	fill := act(store.Whole, `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(randomblob(1000)) FROM n LIMIT 1000`)
	tasks := []store.Task{
		{Action: act(store.Whole, `INSERT INTO t VALUES ('first')`), Record: recorded("first")},
		{Action: fill, Record: recorded("fill")},
		{Action: act(store.Whole, `INSERT INTO t VALUES ('last')`), Record: recorded("last")},
	}
	done, err := s.DoAll(t.Context(), tasks)
	failed, ok := errors.AsType[*store.StatementError](err)
	if !ok || !strings.Contains(failed.Message, "full") || failed.Hint == "" || failed.Code != "SQLITE_FULL" {
		t.Errorf("error %#v, want that the disk is full", err)
	}
	if rows := ask[string](t, s, `SELECT a FROM t`); len(done) != 1 || !slices.Equal(rows, []string{"first"}) {
		t.Errorf("%d answers, rows %q", len(done), rows)
	}
	if !hasNote(t, s, "first") || hasNote(t, s, "fill") || hasNote(t, s, "last") {
		t.Error("the notes tell something else")
	}
	large := []byte(`"` + strings.Repeat("x", 200_000) + `"`)
	if _, err := s.Swap(t.Context(), nil, store.Note{Key: "large", Value: large}); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("a note on a full disk: %v", err)
	}
}

func TestABorrowedHandleIsGivenBackAsItWas(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "shop.db")+"?_pragma=busy_timeout(1234)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // a second connection would wait for ever
	s := New(db)
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, s, parents)
	run(t, s, rebuild)
	tx := Tx("add a parent", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO parent VALUES (3, 'c')`)
		return err
	})
	if _, err := s.Do(t.Context(), store.Task{Action: tx, Record: recorded("done")}); err != nil {
		t.Fatal(err)
	}
	for pragma, want := range map[string]int{"busy_timeout": 1234, "foreign_keys": 1} {
		if got, err := column1[int](t.Context(), db, `PRAGMA `+pragma); err != nil || got[0] != want {
			t.Errorf("%s is %v, want %d", pragma, got, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n, err := column1[int](t.Context(), db, `SELECT count(*) FROM parent`); err != nil || n[0] != 3 {
		t.Errorf("after Close: %v parents, %v", n, err)
	}
}
