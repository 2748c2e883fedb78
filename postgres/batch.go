package postgres

import (
	"context"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Limits of one message with several tasks: the server holds all of a message
// in memory, and a fault in one task sends the others again.
const (
	batchTasks = 50
	batchBytes = 256 << 10
)

// DoAll performs tasks, several in one message where they allow it: each has
// its own transaction in it, so that those before a failing one stay, with
// their notes, and those behind it are not begun.
func (s *Store) DoAll(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	var all []store.Progress
	for len(all) < len(tasks) {
		progress, err := s.doSome(ctx, tasks[len(all):])
		all = append(all, progress...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// doSome performs as many of the first tasks as go into one message, at least
// one.
func (s *Store) doSome(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	works := s.fitting(tasks)
	if len(works) < 2 {
		return s.doOne(ctx, tasks[0])
	}
	if n := grouped(tasks, works); n > 1 {
		progress, err := s.doGroup(ctx, tasks[:n], works[:n])
		if !onlyTold(ctx, err) {
			return progress, err
		}
	}
	begun := time.Now()
	x, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	var m message
	ends := make([]int, len(works)) // pieces up to the end of each task
	for i, work := range works {
		if err := s.addWhole(&m, i, tasks[i], work); err != nil {
			x.release(ctx, nil)
			return nil, err
		}
		m.reset()
		ends[i] = len(m.pieces)
	}
	watch := s.watchBlockers(ctx, tasks[0])
	completed, err := x.send(ctx, &m)
	by := watch()
	x.release(ctx, err)
	if completed == 0 && err != nil && ctx.Err() == nil {
		// A fault that shows in the text alone refuses the whole message before
		// anything ran: one by one the fault is that task's.
		return s.doOne(ctx, tasks[0])
	}
	return s.batchProgress(ctx, tasks, &m, ends, completed, err, by, begun)
}

// batchProgress tells which tasks of a message were committed.
func (s *Store) batchProgress(ctx context.Context, tasks []store.Task, m *message, ends []int, completed int, failed error, by []store.Session, begun time.Time) ([]store.Progress, error) {
	var all []store.Progress
	for i, end := range ends {
		// A task is done with its COMMIT; the resets behind it cannot undo it.
		if completed < end-len(resets) {
			return all, s.taskFault(ctx, tasks[i], m, completed, failed, by)
		}
		all = append(all, store.Progress{Done: true, Rows: m.rows(i), Took: time.Since(begun) / time.Duration(len(ends))})
	}
	return all, nil
}

func (s *Store) doOne(ctx context.Context, task store.Task) ([]store.Progress, error) {
	progress, err := s.Do(ctx, task)
	if err != nil {
		return nil, err
	}
	return []store.Progress{progress}, nil
}

// fitting reads the first tasks that can share a message: Whole, in a
// transaction, without a proof.
func (s *Store) fitting(tasks []store.Task) []work {
	var works []work
	size := 0
	for _, task := range tasks {
		work, err := workOf(task)
		if err != nil || work.goes != nil || work.shape != store.Whole || work.alone() || task.Proof != nil {
			break
		}
		for _, part := range work.parts {
			size += len(part.Text)
		}
		if len(works) == batchTasks || size > batchBytes {
			break
		}
		works = append(works, work)
	}
	return works
}

var _ store.Batcher = (*Store)(nil)
