package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// longestBatch is how long one transaction may gather tasks: others wait for
// the file's lock meanwhile, a lease that is renewed among them.
const longestBatch = time.Second

// DoAll performs tasks in one transaction, each in a savepoint with its notes,
// as long as they are short and can be together; others by themselves. If the
// process dies in here, a whole transaction is there or not.
func (s *Store) DoAll(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	var all []store.Progress
	for len(all) < len(tasks) {
		rest := tasks[len(all):]
		n := 0
		for n < len(rest) && together(rest[n]) {
			n++
		}
		if n < 2 {
			p, err := s.Do(ctx, rest[0])
			if err != nil {
				return all, err
			}
			all = append(all, p)
			continue
		}
		done, err := s.batch(ctx, rest[:n])
		all = append(all, done...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// together says whether a task can share a transaction.
func together(task store.Task) bool {
	action, ok := task.Action.(*sqlaction.Action)
	return ok && action.Form == store.Whole && checkTask(task) == nil && !alone(action, task.Only) && !dropsTable(action, task.Only)
}

// batch performs tasks until one fails or time is up.
func (s *Store) batch(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	var done []store.Progress
	var failed error
	begun := time.Now()
	wait := tasks[0].Wait
	if wait <= 0 {
		wait = defaultWait
	}
	err := s.write(ctx, wait, func(tx *transaction) error {
		for _, task := range tasks {
			if len(done) > 0 && time.Since(begun) > longestBatch {
				return nil
			}
			taskBegun := time.Now()
			p, err := tx.perform(task)
			if err != nil {
				failed = err
				return tx.backTo(err, len(done))
			}
			p.Took = time.Since(taskBegun)
			done = append(done, p)
		}
		return nil
	})
	switch {
	case errors.Is(err, errNothingStayed) && len(done) > 0:
		// The failing task took those before it along. One by one they stay.
		return s.oneByOne(ctx, tasks)
	case errors.Is(err, errNothingStayed):
		return nil, failed
	case err != nil:
		return nil, err
	}
	return done, failed
}

var errNothingStayed = errors.New("the transaction was rolled back as a whole")

// backTo undoes the failed task only, so that those before it are committed.
func (tx *transaction) backTo(failed error, before int) error {
	if _, escaped := errors.AsType[*store.EscapedError](failed); escaped || before == 0 || tx.ctx.Err() != nil {
		return errNothingStayed
	}
	// The savepoint is not there if the task failed before it was set (its
	// guard was lost) or after it was released (a note in conflict).
	if _, err := tx.exec(tripwireBack); err != nil {
		return errNothingStayed
	}
	if _, err := tx.exec(tripwireClear); err != nil {
		return errNothingStayed
	}
	return nil
}

func (s *Store) oneByOne(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	var all []store.Progress
	for _, task := range tasks {
		p, err := s.Do(ctx, task)
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}
