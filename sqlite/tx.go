package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// The tripwire is a savepoint at the begin of a task's work. Whoever ends the
// transaction, with COMMIT or ROLLBACK, ends it too, and its release fails.
const (
	tripwireSet   = `SAVEPOINT stopover_tripwire_6d1f`
	tripwireClear = `RELEASE stopover_tripwire_6d1f`
	tripwireBack  = `ROLLBACK TO stopover_tripwire_6d1f`
)

// transaction is a BEGIN IMMEDIATE .. COMMIT under way.
type transaction struct {
	*session
	ctx   context.Context
	store *Store
	tx    *sql.Tx // only for a task in Go
}

// read gives a connection to do, and repeats do while the file is locked.
func (s *Store) read(ctx context.Context, do func(*session) error) error {
	held, err := s.take(ctx, false)
	if err != nil {
		return err
	}
	defer s.give(held, false)
	err = patiently(ctx, defaultWait, func() error { return do(held) })
	held.broken = s.own && err != nil
	return s.explain(err)
}

// exclusive gives the connection for writing to do, which nobody else in this
// process uses meanwhile.
func (s *Store) exclusive(ctx context.Context, wait time.Duration, do func(*session) error) error {
	if err := s.lock(ctx, wait); err != nil {
		return err
	}
	defer s.unlock()
	held, err := s.take(ctx, true)
	if err != nil {
		return err
	}
	defer s.give(held, true)
	return do(held)
}

// write runs do in a transaction that holds the file's write lock from the
// begin, and commits it if do gave no error. If the process dies in here,
// SQLite rolls back when the file is opened next.
func (s *Store) write(ctx context.Context, wait time.Duration, do func(*transaction) error) error {
	return s.exclusive(ctx, wait, func(held *session) error {
		return s.transact(ctx, held, wait, false, do)
	})
}

// transact is write on a connection. inGo makes the transaction one of
// database/sql, for a function that gets it in hand.
func (s *Store) transact(ctx context.Context, held *session, wait time.Duration, inGo bool, do func(*transaction) error) error {
	tx := &transaction{session: held, ctx: ctx, store: s}
	if err := patiently(ctx, wait, func() error { return tx.begin(inGo) }); err != nil {
		return s.explain(err)
	}
	ended := false
	defer func() {
		if !ended && !tx.rollback() { // also if do panics
			held.broken = true
		}
	}()
	if err := do(tx); err != nil {
		return err
	}
	// A COMMIT that was refused because somebody reads can be repeated.
	if err := patiently(ctx, wait, tx.commit); err != nil {
		return s.uncommitted(err)
	}
	ended = true
	return nil
}

func (tx *transaction) begin(inGo bool) error {
	if !inGo {
		_, err := tx.exec(`BEGIN IMMEDIATE`)
		return err
	}
	// Not with the caller's context: database/sql would roll back by itself at
	// its end, and what is written after that would be outside of everything.
	begun, err := tx.conn.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	// On an own handle it is immediate already; a borrowed one may begin
	// without a lock, and a statement that would write takes it.
	if _, err := tx.exec(`UPDATE stopover_revision SET last = last WHERE 0`); err != nil && !noTable(err) {
		_ = begun.Rollback()
		return err
	}
	tx.tx = begun
	return nil
}

func (tx *transaction) commit() error {
	if _, err := tx.exec(`COMMIT`); err != nil {
		return err
	}
	if tx.tx != nil {
		// It is over already, which database/sql has to be told in its way.
		_ = tx.tx.Rollback()
	}
	return nil
}

// rollback ends what is left of the transaction and says whether the
// connection is clean. SQLite has ended it already after an interrupt or a full
// disk.
func (tx *transaction) rollback() bool {
	_, err := tx.exec(`ROLLBACK`)
	if tx.tx != nil {
		_ = tx.tx.Rollback()
	}
	return err == nil || code(err) == sqliteError && strings.Contains(err.Error(), "no transaction is active")
}

// doubt keeps the connection from further use: a statement of others may have
// left settings or temporary tables on it. A borrowed one goes back to the
// application in any case; for it, it may be a whole database in memory.
func (tx *transaction) doubt() {
	if tx.store.own {
		tx.broken = true
	}
}

// disarm takes the tripwire away, and finds out whether it was still there.
func (tx *transaction) disarm(number, line int) error {
	_, err := tx.exec(tripwireClear)
	if code(err) == sqliteError {
		return &store.EscapedError{Statement: number, Line: line}
	}
	return tx.store.explain(err)
}
