package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

func inGo(statements ...string) store.Action {
	return Tx("run statements", func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAStepInGoIsRecordedInItsTransaction(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (a)`)
	if _, err := s.Do(t.Context(), store.Task{Action: inGo(`INSERT INTO t VALUES (1)`), Record: recorded("one")}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Do(t.Context(), store.Task{Action: inGo(`INSERT INTO t VALUES (2)`, `INSERT INTO gone VALUES (2)`), Record: recorded("two")})
	failed, ok := errors.AsType[*store.StatementError](err)
	if !ok || failed.Statement != 1 || failed.Message != "no such table: gone" {
		t.Errorf("error %#v, want a StatementError", err)
	}
	own := errors.New("not on a Friday")
	_, err = s.Do(t.Context(), store.Task{Action: Tx("refuse", func(context.Context, *sql.Tx) error { return own }), Record: recorded("three")})
	if !errors.Is(err, own) {
		t.Errorf("error %v, want the function's own", err)
	}
	if rows := ask[int](t, s, `SELECT a FROM t`); len(rows) != 1 || !hasNote(t, s, "one") || hasNote(t, s, "two") || hasNote(t, s, "three") {
		t.Errorf("rows %v", rows)
	}
}

func TestAStepInGoThatEndsItsTransactionIsFoundOut(t *testing.T) {
	for name, do := range map[string]func(context.Context, *sql.Tx) error{
		"Commit":         func(_ context.Context, tx *sql.Tx) error { return tx.Commit() },
		"Rollback":       func(_ context.Context, tx *sql.Tx) error { return tx.Rollback() },
		"COMMIT":         func(_ context.Context, tx *sql.Tx) error { _, err := tx.Exec(`COMMIT`); return err },
		"ROLLBACK":       func(_ context.Context, tx *sql.Tx) error { _, err := tx.Exec(`ROLLBACK`); return err },
		"COMMIT; BEGIN":  func(_ context.Context, tx *sql.Tx) error { _, err := tx.Exec(`COMMIT; BEGIN IMMEDIATE`); return err },
		"Commit and use": func(_ context.Context, tx *sql.Tx) error { _ = tx.Commit(); _, err := tx.Exec(`SELECT 1`); return err },
	} {
		s := prepared(t, "")
		_, err := s.Do(t.Context(), store.Task{Action: Tx(name, do), Record: recorded("done")})
		if _, ok := errors.AsType[*store.EscapedError](err); !ok {
			t.Errorf("%s: error %v, want an EscapedError", name, err)
		}
		if hasNote(t, s, "done") {
			t.Errorf("%s: it was recorded", name)
		}
		if _, err := s.Do(t.Context(), store.Task{Action: inGo(`CREATE TABLE t (a)`), Record: recorded("next")}); err != nil {
			t.Errorf("%s: the next task: %v", name, err)
		}
	}
}

func TestAPanicInGoLeavesNothingAndNoLock(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (a)`)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = s.Do(t.Context(), store.Task{Action: Tx("panic", func(ctx context.Context, tx *sql.Tx) error {
			_, _ = tx.ExecContext(ctx, `INSERT INTO t VALUES (1)`)
			panic("a bug in the application")
		})})
	}()
	if n := ask[int](t, s, `SELECT count(*) FROM t`); n[0] != 0 {
		t.Errorf("%d rows stayed", n[0])
	}
	run(t, s, `INSERT INTO t VALUES (2)`)
}

func TestStretchesInGo(t *testing.T) {
	s := prepared(t, "")
	run(t, s, `CREATE TABLE t (id INTEGER PRIMARY KEY, done INTEGER NOT NULL DEFAULT 0);
INSERT INTO t (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 10`)
	stretch := Stretch("mark rows", func(ctx context.Context, tx *sql.Tx, cursor []byte, size int) ([]byte, bool, int64, error) {
		from, _ := strconv.Atoi(string(cursor))
		result, err := tx.ExecContext(ctx, `UPDATE t SET done = done + 1 WHERE id > ? AND id <= ?`, from, from+size)
		if err != nil {
			return nil, false, 0, err
		}
		rows, err := result.RowsAffected()
		return fmt.Append(nil, from+size), from+size >= 10, rows, err
	})
	var cursor []byte
	var sum int64
	for i := 0; ; i++ {
		p, err := s.Do(t.Context(), store.Task{Action: stretch, Cursor: cursor, Size: 3, Record: recorded(fmt.Sprint("stretch/", i))})
		if err != nil {
			t.Fatal(err)
		}
		sum += p.Rows
		if p.Done {
			break
		}
		cursor = p.Cursor
	}
	if done := ask[int](t, s, `SELECT sum(done) FROM t`); sum != 10 || done[0] != 10 || !hasNote(t, s, "stretch/3") {
		t.Errorf("%d rows counted, %d marked", sum, done[0])
	}
	stuck := Stretch("stuck", func(_ context.Context, _ *sql.Tx, cursor []byte, _ int) ([]byte, bool, int64, error) {
		return cursor, false, 0, nil
	})
	if _, err := s.Do(t.Context(), store.Task{Action: stuck, Size: 1, Record: recorded("stuck")}); err == nil || hasNote(t, s, "stuck") {
		t.Errorf("a stretch that does not move: %v", err)
	}
}
