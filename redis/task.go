package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Do performs a task.
func (s *Store) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	begun := time.Now()
	if err := checkTask(task); err != nil {
		return store.Progress{}, err
	}
	if err := s.ready(ctx); err != nil {
		return store.Progress{}, err
	}
	inner, end := s.working(ctx, task)
	defer end()
	progress, err := s.do(inner, task)
	if err != nil {
		return store.Progress{}, s.named(ctx, task.Action, endedBy(ctx, inner, err))
	}
	progress.Took = time.Since(begun)
	return progress, nil
}

func (s *Store) do(ctx context.Context, task store.Task) (store.Progress, error) {
	if _, shut := task.Action.(Cutover); !shut { // then writers wait, and the copy has shown what is allowed
		if err := s.mayBegin(ctx, task); err != nil {
			return store.Progress{}, err
		}
	}
	if task.Action.Shape() == store.Query {
		return s.inquire(ctx, task)
	}
	if action, ok := task.Action.(*inLua); ok {
		return s.inLua(ctx, action, task)
	}
	if action, ok := task.Action.(Cutover); ok {
		return s.cutOver(ctx, action, task)
	}
	// A function in Go is not called in vain: guards and books are looked at
	// before it, and again with its work. What writes by scripts that look at the
	// guards need not be asked twice.
	switch task.Action.(type) {
	case Copy, Rewrite:
	default:
		if _, err := s.perform(ctx, call{guard: task.Guard}); err != nil {
			return store.Progress{}, err
		}
	}
	if action, ok := task.Action.(*inGo); ok {
		return s.inGo(ctx, action, task)
	}
	return s.sweep(ctx, task.Action.(sweeper), task)
}

// checkTask refuses what cannot be asked.
func checkTask(task store.Task) error {
	if task.Action == nil {
		return errors.New("the task has no action")
	}
	switch task.Action.(type) {
	case *inLua, *inGo, sweeper, seeker, Cutover:
	default:
		return fmt.Errorf("an action of the type %T was not made for Redis", task.Action)
	}
	if task.Only < 0 || task.Only > 1 {
		return fmt.Errorf("perform statement %d: the action has one", task.Only)
	}
	if task.Action.Shape() == store.Stretched && task.Size < 1 {
		return fmt.Errorf("perform a stretch of %d records: at least one is needed", task.Size)
	}
	switch task.Proof.(type) {
	case nil, seeker:
		return nil
	case *inLua:
		if task.Proof.Shape() == store.Query {
			return nil
		}
	}
	return fmt.Errorf("the proof of the type %T is no query of Redis", task.Proof)
}

// inLua performs a script with its record. Its rows are not known before, so
// the record is made without them.
func (s *Store) inLua(ctx context.Context, action *inLua, task store.Task) (store.Progress, error) {
	if err := s.proveInGo(ctx, task); err != nil {
		return store.Progress{}, err
	}
	progress := store.Progress{Done: true, Rows: -1}
	c := s.callFor(task, progress)
	c.work, c.keys, c.args = action.lua, action.keys, action.args
	done, err := s.perform(ctx, c)
	if err != nil {
		return store.Progress{}, err
	}
	progress.Rows = done.rows
	return progress, nil
}

// callFor begins a call with what a task wants around its work.
func (s *Store) callFor(task store.Task, progress store.Progress) call {
	c := call{guard: task.Guard, sample: task.Sample, timeout: task.Timeout}
	c.proof, _ = task.Proof.(*inLua)
	if task.Record != nil {
		c.set = task.Record(progress)
	}
	return c
}

// restarts is how often a function in Go is called when what it reads is
// changed by others.
const restarts = 10

// inGo calls a function, and performs what it queued with its record.
func (s *Store) inGo(ctx context.Context, action *inGo, task store.Task) (store.Progress, error) {
	begun := time.Now()
	if err := s.proveInGo(ctx, task); err != nil {
		return store.Progress{}, err
	}
	for range restarts {
		tx := &Transaction{Reader: Reader{store: s, checked: true}}
		progress, err := s.run(ctx, action, tx, task)
		if err != nil {
			return store.Progress{}, err
		}
		c := s.callFor(task, progress)
		c.work, c.keys, c.args = commitLua, tx.keys(), tx.args()
		_, err = s.perform(ctx, c)
		if !changed(err) {
			return progress, err
		}
	}
	return store.Progress{}, &store.LockedError{Waited: time.Since(begun).Round(time.Millisecond),
		Err: fmt.Errorf("others changed what the step reads %d times", restarts)}
}

// changed recognises the answer of commit.lua that something read is not so
// any more.
func changed(err error) bool {
	failed, ok := errors.AsType[*store.StatementError](err)
	return ok && failed.Code == "STOPOVER" && failed.Message == "changed"
}

// run calls the function of a transaction.
func (s *Store) run(ctx context.Context, action *inGo, tx *Transaction, task store.Task) (store.Progress, error) {
	inner, cancel := within(ctx, task.Timeout)
	defer cancel()
	if action.whole != nil {
		err := action.whole(inner, tx)
		return store.Progress{Done: true, Rows: -1}, wrong(ctx, inner, err, task)
	}
	next, done, rows, err := action.stretch(inner, tx, task.Cursor, task.Size)
	if err = wrong(ctx, inner, err, task); err != nil {
		return store.Progress{}, err
	}
	return stretched(action.preview, task, next, done, rows)
}

func stretched(preview string, task store.Task, next []byte, done bool, rows int64) (store.Progress, error) {
	if done {
		return store.Progress{Done: true, Rows: rows}, nil
	}
	if string(next) == string(task.Cursor) {
		return store.Progress{}, fmt.Errorf("the stretch %q is not done, and gave the cursor back that it was given", preview)
	}
	return store.Progress{Cursor: next, Rows: rows}, nil
}

func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// wrong says what an error of a function in Go means for the step. Those of the
// seam stay what they are.
func wrong(ctx, inner context.Context, err error, task store.Task) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inner.Err() != nil:
		return &store.StatementError{Statement: 1, Message: fmt.Sprintf("the step took longer than %s", task.Timeout), Err: inner.Err()}
	case err == nil:
		return nil
	}
	for _, known := range []any{new(*store.UnreachableError), new(*store.RightsError), new(*store.LockedError),
		new(*store.ConflictError), new(*store.NewerError), new(*store.StatementError)} {
		if errors.As(err, known) {
			return err
		}
	}
	failed := &store.StatementError{Statement: 1, Message: err.Error(), Err: err}
	var advised interface {
		error
		advice() string
	}
	if errors.As(err, &advised) {
		failed.Hint = advised.advice()
	}
	return failed
}

// swept says of an error of a sweep what of the sweep stays: each key was
// changed by itself.
func swept(err error) error {
	failed, ok := errors.AsType[*store.StatementError](err)
	if ok && !errors.As(err, new(*UncoveredError)) {
		failed.Stays = "keys that the step was through with stay as it left them; doing them again changes nothing"
	}
	return err
}
