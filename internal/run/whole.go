package run

import (
	"context"
	"errors"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// Limits of what is sent at once: an error in the middle is told after the
// batch, and a batch is what a watcher sees as one beat.
const (
	batchTasks = 50
	batchBytes = 128 << 10
)

// whole performs a step in one transaction with its line. Whoever dies here
// leaves either both or neither.
func (r *Runner) whole(ctx context.Context, w Work) (Outcome, error) {
	var done book.Line
	task := r.task(w)
	task.Record = func(p store.Progress) []store.Note {
		done = r.finished(r.line(w), p.Rows)
		return []store.Note{done.Note()}
	}
	var progress store.Progress
	err := r.insist(ctx, w, func(ctx context.Context, wait time.Duration) (err error) {
		task.Wait = wait
		progress, err = r.Store.Do(ctx, task)
		return err
	})
	if errors.Is(err, errRecorded) {
		return Outcome{Rows: -1}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	r.keep(done)
	return Outcome{Rows: progress.Rows}, nil
}

// Together tells whether the work is small and plain enough to be sent with
// others.
func (w Work) Together() bool {
	return w.Action.Shape() == store.Whole && !w.Each && w.Proof == nil && w.LockTimeout == 0
}

// PerformAll performs the works in order, several in a message where they and
// the store allow that. The outcomes are those of the works done; if they are
// fewer, the error is about the next one.
func (r *Runner) PerformAll(ctx context.Context, works []Work) ([]Outcome, error) {
	var outcomes []Outcome
	for len(works) > 0 {
		n := r.batch(works)
		var some []Outcome
		var err error
		if n > 1 {
			some, err = r.together(ctx, works[:n])
		} else {
			var one Outcome
			if one, err = r.Perform(ctx, works[0]); err == nil {
				some = []Outcome{one}
			}
		}
		outcomes = append(outcomes, some...)
		if err != nil {
			return outcomes, err
		}
		works = works[len(some):]
	}
	return outcomes, nil
}

// batch counts the works at the head that can be sent together.
func (r *Runner) batch(works []Work) int {
	if _, able := store.As[store.Batcher](r.Store); !able {
		return 1
	}
	bytes := 0
	for n, w := range works {
		if n == batchTasks || !w.Together() {
			return n
		}
		for _, s := range w.Action.Statements() {
			bytes += len(s.Text)
		}
		if bytes > batchBytes {
			return n
		}
	}
	return len(works)
}

// together sends several works in one message. The store commits each with its
// line: whoever dies here leaves the first few done and recorded. A failure is
// told after the ones before it were kept; a fault that may pass (a lock, a cut
// connection) is left to Perform, which tries again.
func (r *Runner) together(ctx context.Context, works []Work) ([]Outcome, error) {
	if r.late() {
		return nil, ErrUntil
	}
	batcher, _ := store.As[store.Batcher](r.Store)
	lines := make([]book.Line, len(works))
	tasks := make([]store.Task, len(works))
	for i, w := range works {
		tasks[i] = r.task(w)
		tasks[i].Record = func(p store.Progress) []store.Note {
			lines[i] = r.finished(r.line(w), p.Rows)
			return []store.Note{lines[i].Note()}
		}
	}
	begun := time.Now()
	done, err := batcher.DoAll(ctx, tasks)
	took := time.Since(begun) / time.Duration(max(1, len(done)))
	outcomes := make([]Outcome, len(done))
	for i, progress := range done {
		r.keep(lines[i])
		outcomes[i] = Outcome{Rows: progress.Rows, Took: took}
		r.tell(wire.Event{Kind: wire.EventDone, Rows: progress.Rows, Took: took.Seconds()}, works[i].ID)
	}
	if err == nil {
		return outcomes, nil
	}
	if passing(err) && ctx.Err() == nil {
		return r.afterFault(ctx, works, outcomes, err)
	}
	return outcomes, r.failure(ctx, works[len(done)], err)
}

// afterFault goes on behind a fault that passes. A broken connection may have
// left more done than was answered: those are kept, and only the next one is
// tried again, by itself.
func (r *Runner) afterFault(ctx context.Context, works []Work, outcomes []Outcome, cause error) ([]Outcome, error) {
	answered := len(outcomes)
	if err := r.settle(ctx, works[answered], cause); err != nil {
		return outcomes, r.failure(ctx, works[answered], err)
	}
	for len(outcomes) < len(works) && r.recorded(works[len(outcomes)]) {
		r.tell(wire.Event{Kind: wire.EventDone, Rows: -1}, works[len(outcomes)].ID)
		outcomes = append(outcomes, Outcome{Rows: -1})
	}
	if len(outcomes) > answered {
		return outcomes, nil
	}
	one, err := r.Perform(ctx, works[answered])
	if err != nil {
		return outcomes, err
	}
	return append(outcomes, one), nil
}

// settle waits until it is known what became of work that failed with cause.
func (r *Runner) settle(ctx context.Context, w Work, cause error) error {
	pending := cause
	err := r.insist(ctx, w, func(context.Context, time.Duration) error {
		failed := pending
		pending = nil
		return failed
	})
	if errors.Is(err, errRecorded) {
		return nil
	}
	return err
}
