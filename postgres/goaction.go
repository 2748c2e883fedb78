package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// goIdleLimit ends the transaction of a Go action whose process was stopped.
// Between two statements such an action may work by itself for a while.
const goIdleLimit = time.Minute

// goAction is an action in Go.
type goAction struct {
	shape   store.Shape
	preview string
	whole   func(context.Context, pgx.Tx) error
	stretch func(context.Context, pgx.Tx, []byte, int) ([]byte, bool, int64, error)
}

// Tx makes a Whole action of a function. It gets the transaction that also
// records the step; it neither commits nor rolls back. The preview is for
// people, and stands for the function in checksums: a function that changes
// what it does gets another one.
func Tx(preview string, do func(ctx context.Context, tx pgx.Tx) error) store.Action {
	return &goAction{shape: store.Whole, preview: preview, whole: do}
}

// Stretch makes a Stretched action of a function. It is called with the cursor
// that it gave last (nil: the beginning) and the number of records wanted, and
// gives the next cursor, whether it is done, and the number of records changed.
// Each call has a transaction of its own, as with Tx.
func Stretch(preview string, do func(ctx context.Context, tx pgx.Tx, cursor []byte, size int) (next []byte, done bool, rows int64, err error)) store.Action {
	return &goAction{shape: store.Stretched, preview: preview, stretch: do}
}

// Shape says how the action's work is divided.
func (a *goAction) Shape() store.Shape { return a.shape }

// Statements gives the preview.
func (a *goAction) Statements() []store.Statement { return []store.Statement{{Text: a.preview}} }

// errNotYours refuses to end a transaction that is not the function's.
var errNotYours = errors.New("this transaction is ended by Stopover, together with the record of the step: return nil or an error instead")

// lentTx is the transaction of a task, lent to a function.
type lentTx struct{ pgx.Tx }

// Commit refuses.
func (lentTx) Commit(context.Context) error { return errNotYours }

// Rollback refuses.
func (lentTx) Rollback(context.Context) error { return errNotYours }

// doGo performs an action in Go.
func (s *Store) doGo(ctx context.Context, task store.Task, action *goAction) (store.Progress, error) {
	return s.transact(ctx, task, goIdleLimit, func(t *transaction) (store.Progress, error) {
		if err := t.send(ctx); err != nil {
			return store.Progress{}, err
		}
		// The transaction is open already; the driver's wants a first statement.
		tx, err := t.x.conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: "SELECT 1"})
		if err != nil {
			return store.Progress{}, s.fault(ctx, &message{}, 0, err, waitOf(task))
		}
		progress, err := action.call(ctx, lentTx{tx}, task)
		if err != nil {
			return store.Progress{}, t.goFault(ctx, err)
		}
		return progress, nil
	})
}

func (a *goAction) call(ctx context.Context, tx pgx.Tx, task store.Task) (store.Progress, error) {
	if a.shape == store.Whole {
		return store.Progress{Done: true, Rows: -1}, a.whole(ctx, tx)
	}
	next, done, rows, err := a.stretch(ctx, tx, task.Cursor, task.Size)
	return store.Progress{Cursor: next, Done: done, Rows: rows}, err
}

// goFault keeps the function's error as it is where the server had no part in
// it.
func (t *transaction) goFault(ctx context.Context, err error) error {
	var refused *pgconn.PgError
	if ctx.Err() == nil && !errors.As(err, &refused) && !t.x.pg.IsClosed() {
		return err
	}
	understood := t.s.fault(ctx, &message{}, 0, err, waitOf(t.task))
	if failed, ok := errors.AsType[*store.StatementError](understood); ok {
		failed.Statement, failed.Err = 1, err
	}
	return understood
}
