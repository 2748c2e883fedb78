package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stopover-dev/stopover/store"
)

// Tx makes a step of a function in Go: it gets the transaction in which the
// step is recorded, and must neither commit nor roll back. Foreign keys are
// enforced in it as the connection has them, also while it drops a table. The preview is what
// people read in a plan, and what the step's checksum is taken from: change it
// when the function changes its meaning.
func Tx(preview string, do func(context.Context, *sql.Tx) error) store.Action {
	return &goWhole{preview: preview, do: do}
}

// Stretch makes a step of a function in Go that is called again and again, each
// time in a transaction of its own that is recorded with the cursor, until it
// says done. The cursor is nil at first, then what the last call gave; size is
// the number of rows wanted. rows is the number of rows changed.
func Stretch(preview string, do StretchFunc) store.Action {
	return &goStretched{preview: preview, do: do}
}

// StretchFunc does one stretch, see Stretch.
type StretchFunc func(ctx context.Context, tx *sql.Tx, cursor []byte, size int) (next []byte, done bool, rows int64, err error)

type goWhole struct {
	preview string
	do      func(context.Context, *sql.Tx) error
}

func (a *goWhole) Shape() store.Shape            { return store.Whole }
func (a *goWhole) Statements() []store.Statement { return []store.Statement{{Text: a.preview}} }

type goStretched struct {
	preview string
	do      StretchFunc
}

func (a *goStretched) Shape() store.Shape            { return store.Stretched }
func (a *goStretched) Statements() []store.Statement { return []store.Statement{{Text: a.preview}} }

func (tx *transaction) inGo(action *goWhole, task store.Task) (store.Progress, error) {
	ctx, cancel := within(tx.ctx, task.Timeout)
	defer cancel()
	tx.doubt() // unless it returns, and without an error
	if err := action.do(ctx, tx.tx); err != nil {
		return store.Progress{}, tx.failedInGo(err, action.Statements()[0], task)
	}
	tx.broken = false
	return store.Progress{Done: true, Rows: -1}, nil
}

func (tx *transaction) stretchInGo(action *goStretched, task store.Task) (store.Progress, error) {
	ctx, cancel := within(tx.ctx, task.Timeout)
	defer cancel()
	tx.doubt() // unless it returns, and without an error
	next, done, rows, err := action.do(ctx, tx.tx, task.Cursor, task.Size)
	if err != nil {
		return store.Progress{}, tx.failedInGo(err, action.Statements()[0], task)
	}
	tx.broken = false
	if !done && string(next) == string(task.Cursor) {
		return store.Progress{}, fmt.Errorf("the stretch %q is not done, and gave the cursor back that it was given", action.preview)
	}
	if done {
		next = nil
	}
	return store.Progress{Cursor: next, Done: done, Rows: rows}, nil
}

func (tx *transaction) failedInGo(err error, part store.Statement, task store.Task) error {
	if errors.Is(err, sql.ErrTxDone) {
		return &store.EscapedError{Statement: 1}
	}
	return tx.store.failed(tx.ctx, err, 1, part, task.Timeout)
}
