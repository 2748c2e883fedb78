package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// doAlone performs a statement that cannot be in a transaction, just after its
// guards and its proof were looked at. If the process dies in it, SQLite has
// either done all of it or nothing.
func (s *Store) doAlone(ctx context.Context, held *session, wait time.Duration, task store.Task) error {
	action := task.Action.(*sqlaction.Action)
	err := s.transact(ctx, held, wait, false, func(tx *transaction) error {
		if err := tx.check(task.Guard); err != nil {
			return err
		}
		return tx.prove(task)
	})
	if err != nil {
		return err
	}
	i := task.Only - 1
	part := action.Parts[i]
	inner, cancel := within(ctx, task.Timeout)
	defer cancel()
	held.broken = s.own // until it has returned without an error
	err = patiently(inner, wait, func() error {
		_, err := held.conn.ExecContext(inner, part.Text)
		return err
	})
	if err != nil {
		return s.failed(ctx, err, task.Only, part, task.Timeout)
	}
	held.broken = false
	return s.tookEffect(ctx, held, action.Kinds[i], task.Only, part)
}

// tookEffect finds the PRAGMAs that SQLite answers without an error and
// ignores: the journal mode while another connection is in the file.
func (s *Store) tookEffect(ctx context.Context, held *session, kind sqltext.Statement, number int, part store.Statement) error {
	if kind.Verb != "PRAGMA" || !strings.EqualFold(kind.Name().Base, "journal_mode") {
		return nil
	}
	wanted, sets := setting(kind)
	if !sets {
		return nil
	}
	is, err := held.pragma(ctx, kind.Name().Base)
	if err != nil {
		return s.explain(err)
	}
	if strings.EqualFold(is, wanted) {
		return nil
	}
	return &store.StatementError{
		Statement: number, Line: part.Line,
		Message: fmt.Sprintf("the journal mode stays %s: other connections are in the file, or it cannot have %s", is, wanted),
	}
}

// pragma reads a setting of the connection or the file.
func (h *session) pragma(ctx context.Context, name string) (string, error) {
	var value string
	err := h.conn.QueryRowContext(ctx, `PRAGMA `+name).Scan(&value)
	return value, err
}

// setting gives the value that a PRAGMA sets: PRAGMA a = v, PRAGMA a(v).
func setting(kind sqltext.Statement) (string, bool) {
	r := kind.Reader()
	r.Take("PRAGMA")
	if _, found := r.Name(); !found || !r.Take("=") && !r.Take("(") {
		return "", false
	}
	return strings.Trim(r.Next().Text, `'"`), true
}

// Inspect tells what became of a statement alone. SQLite leaves nothing half
// done, and all of them may be run again.
func (s *Store) Inspect(ctx context.Context, action store.Action, statement int) (store.Effect, error) {
	inSQL, ok := action.(*sqlaction.Action)
	if !ok || statement < 1 || statement > len(inSQL.Parts) {
		return store.Effect{}, fmt.Errorf("inspect statement %d of an action of the type %T: there is none", statement, action)
	}
	kind := inSQL.Kinds[statement-1]
	if !inSQL.Parts[statement-1].Alone {
		return store.Effect{State: store.Missing, Because: "it is in one transaction with its record, and that is not there"}, nil
	}
	wanted, sets := setting(kind)
	name := strings.ToLower(kind.Name().Base)
	if kind.Verb != "PRAGMA" || !sets || name == "wal_checkpoint" {
		return store.Effect{State: store.Missing, Because: kind.Verb + " may be run again"}, nil
	}
	var is string
	err := s.read(ctx, func(held *session) (err error) {
		// A connection learns what others did to the file when it reads it.
		if _, err = held.conn.ExecContext(ctx, `SELECT 1 FROM sqlite_schema LIMIT 1`); err != nil {
			return err
		}
		is, err = held.pragma(ctx, name)
		return err
	})
	if err != nil {
		return store.Effect{}, err
	}
	because := fmt.Sprintf("PRAGMA %s is %s", name, is)
	if same(name, is, wanted) {
		return store.Effect{State: store.Complete, Because: because}, nil
	}
	return store.Effect{State: store.Missing, Because: because}, nil
}

// same compares a setting as SQLite shows it with one as it may be written.
func same(name, is, wanted string) bool {
	if name == "auto_vacuum" {
		for number, word := range []string{"NONE", "FULL", "INCREMENTAL"} {
			if strings.EqualFold(wanted, word) {
				wanted = fmt.Sprint(number)
			}
		}
	}
	return strings.EqualFold(is, wanted)
}
