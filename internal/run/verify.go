package run

import (
	"context"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// verify asks a verify step's queries, and records it when they find nothing.
// What they find behind a backfill that can be repeated opens the backfill
// again: old code may have written rows behind its cursor.
func (r *Runner) verify(ctx context.Context, w Work) (Outcome, error) {
	var outcome Outcome
	for {
		found, err := r.ask(ctx, w, w.Action)
		if err != nil {
			return outcome, err
		}
		if found.Rows == 0 && w.Seal != nil {
			return r.seal(ctx, w)
		}
		if found.Rows == 0 {
			line := r.finished(r.line(w), 0)
			return outcome, r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error { return r.write(ctx, line) })
		}
		violated := &ViolatedError{Work: w, Rows: found.Rows, Sample: found.Sample, Swept: outcome.Swept}
		if w.Sweeps == nil || !w.Sweeps.Repeatable || outcome.Swept == maxSweeps {
			return outcome, violated
		}
		outcome.Swept++
		if err := r.reopen(ctx, *w.Sweeps, found.Rows); err != nil {
			return outcome, err
		}
		if _, err := r.stretch(ctx, *w.Sweeps); err != nil {
			return outcome, err
		}
	}
}

// seal keeps what a contract will need, and records the verify with its last
// stretch: a verify that is done has kept all of it. Whoever dies here leaves a
// verify that is begun; the next run asks the queries again, and as that is
// about everything, it keeps everything again, from the beginning.
func (r *Runner) seal(ctx context.Context, w Work) (Outcome, error) {
	delete(r.Books.Cursors, stepOf(w))
	kept := w
	kept.Action, kept.Match = w.Seal, nil
	outcome, err := r.stretch(ctx, kept)
	outcome.Resumed = false
	return outcome, err
}

// ask performs queries and gives what they find. It changes nothing.
func (r *Runner) ask(ctx context.Context, w Work, queries store.Action) (found store.Progress, err error) {
	task := store.Task{Action: queries, Sample: r.Sample, Session: r.Lease.Session()}
	err = r.insist(ctx, w, func(ctx context.Context, _ time.Duration) (err error) {
		found, err = r.Store.Do(ctx, task)
		return err
	})
	return found, err
}

// Check asks a verification on a store without a lease, for commands that
// change nothing.
func Check(ctx context.Context, s store.Store, queries store.Action, sample int) (store.Progress, error) {
	return s.Do(ctx, store.Task{Action: queries, Sample: sample})
}
