package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"time"
)

// slice is how long SQLite itself waits for a lock, in milliseconds. It cannot
// be interrupted there, and pauses longer and longer, so that a busy writer
// starves those who wait: a takeover among them. So waits are many short ones.
const slice = 2

// session is one connection in the hands of one caller, with the statements of
// the books prepared on it.
type session struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	restore  string // what gives a borrowed connection its settings back
	broken   bool   // nobody may get it after this caller
}

// connect opens a connection, or borrows one of the application's. Opening
// may run into a lock already: a PRAGMA of the URL may write to the file.
func (s *Store) connect(ctx context.Context) (*session, error) {
	var held *session
	err := patiently(ctx, defaultWait, func() error {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		held = &session{conn: conn, prepared: map[string]*sql.Stmt{}}
		if err := held.setUp(ctx, !s.own); err != nil {
			held.broken = true
			held.end()
			return err
		}
		return nil
	})
	if err != nil {
		return nil, s.explain(err)
	}
	return held, nil
}

func (h *session) setUp(ctx context.Context, borrowed bool) error {
	if borrowed {
		before, err := h.pragma(ctx, "busy_timeout")
		if err != nil {
			return err
		}
		h.restore = "PRAGMA busy_timeout = " + before
	}
	_, err := h.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", slice))
	return err
}

// end closes the connection, or gives a borrowed one back as it was.
func (h *session) end() {
	for _, statement := range h.prepared {
		_ = statement.Close()
	}
	if h.restore != "" && !h.broken {
		// If this fails the connection is broken, and the pool finds out.
		_, _ = h.conn.ExecContext(context.Background(), h.restore)
	}
	if h.broken {
		// The pool throws the connection away instead of lending it again.
		_ = h.conn.Raw(func(any) error { return sqldriver.ErrBadConn })
	}
	_ = h.conn.Close()
}

// statement gives a statement of the books, prepared once a connection.
func (h *session) statement(text string) (*sql.Stmt, error) {
	if statement, ok := h.prepared[text]; ok {
		return statement, nil
	}
	statement, err := h.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return nil, err
	}
	h.prepared[text] = statement
	return statement, nil
}

// exec runs a short statement of the books to its end: it is never interrupted
// halfway, which would take the transaction away from under the next one.
func (h *session) exec(text string, args ...any) (int64, error) {
	statement, err := h.statement(text)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// patiently repeats what failed for a lock until it succeeds, the wait is over
// or the context ends. do must be safe to repeat.
func patiently(ctx context.Context, wait time.Duration, do func() error) error {
	begun := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := do()
		if !isBusy(err) {
			return err
		}
		waited := time.Since(begun)
		if waited >= wait {
			return locked(waited, err)
		}
		// SQLite has waited for a slice already, but not always: not where it
		// saw a deadlock, or in a shared cache.
		time.Sleep(200 * time.Microsecond)
	}
}
