package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/stopover-dev/stopover/postgres"
	"github.com/stopover-dev/stopover/store"
)

func TestGoActionIsRecordedWithItsWork(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int)")
	insert := func(after func(pgx.Tx) error) store.Action {
		return postgres.Tx("insert", func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO a VALUES ($1)", 7); err != nil {
				return err
			}
			return after(tx)
		})
	}
	ours := errors.New("ours")
	for name, after := range map[string]func(pgx.Tx) error{
		"an error":   func(pgx.Tx) error { return ours },
		"a commit":   func(tx pgx.Tx) error { return tx.Commit(t.Context()) },
		"a rollback": func(tx pgx.Tx) error { return tx.Rollback(t.Context()) },
		"a fault":    func(tx pgx.Tx) error { _, err := tx.Exec(t.Context(), "SELECT nothing"); return err },
	} {
		_, err := s.Do(t.Context(), store.Task{Action: insert(after), Record: noted})
		if err == nil || isNoted(t, s) {
			t.Errorf("with %s: error %v", name, err)
		}
		if name == "an error" && !errors.Is(err, ours) {
			t.Errorf("the function's own error became %v", err)
		}
		if name == "a fault" && wantError[*store.StatementError](t, err).Code != "42703" {
			t.Errorf("fault %v", err)
		}
	}
	_, err := s.Do(t.Context(), store.Task{Action: insert(func(tx pgx.Tx) error { _, err := tx.Exec(t.Context(), "COMMIT"); return err }), Record: noted})
	wantError[*store.EscapedError](t, err)
	run(t, url, "TRUNCATE a")
	a := insert(func(pgx.Tx) error { return nil })
	if _, err := s.Do(t.Context(), store.Task{Action: a, Record: noted}); err != nil || !isNoted(t, s) {
		t.Error(err)
	}
	wantRows(t, url, "SELECT id::text FROM a", "7")
	if a.Shape() != store.Whole || a.Statements()[0].Text != "insert" {
		t.Errorf("shape %d, statements %+v", a.Shape(), a.Statements())
	}
}

func TestGoStretches(t *testing.T) {
	s, url := prepared(t)
	run(t, url, "CREATE TABLE a (id int, n int NOT NULL DEFAULT 0); INSERT INTO a SELECT generate_series(1, 10)")
	a := postgres.Stretch("count up", func(ctx context.Context, tx pgx.Tx, cursor []byte, size int) ([]byte, bool, int64, error) {
		from := 0
		if cursor != nil {
			if err := json.Unmarshal(cursor, &from); err != nil {
				return nil, false, 0, err
			}
		}
		tag, err := tx.Exec(ctx, "UPDATE a SET n = n + 1 WHERE id > $1 AND id <= $2", from, from+size)
		next, _ := json.Marshal(from + size)
		return next, from+size >= 10, tag.RowsAffected(), err
	})
	sizes := sweep(t, s, a, 4)
	if len(sizes) != 3 || sizes[2] != 2 {
		t.Errorf("stretches of %v rows, want 4 4 2", sizes)
	}
	wantRows(t, url, "SELECT DISTINCT n::text FROM a", "1")
}

// A caller that recovers keeps a store that works, with one connection too.
func TestGoActionThatPanicsGivesItsConnectionBack(t *testing.T) {
	_, url := prepared(t)
	s := opened(t, store.Settings{URL: url + "&pool_max_conns=1"})
	run(t, url, "CREATE TABLE a (id int)")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		s.Do(t.Context(), store.Task{Record: noted, Action: postgres.Tx("panic", func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO a VALUES (1)"); err != nil {
				return err
			}
			panic("a bug")
		})})
	}()
	if isNoted(t, s) {
		t.Error("noted")
	}
	wantRows(t, url, "SELECT id::text FROM a")
}
