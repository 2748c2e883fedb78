package run

import (
	"context"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// Reverse takes a step back with the action of its undo-section, in one
// transaction with its line. A step that changed nothing, like a verify, has no
// action: only its line is written. Its floors fall with it.
func (r *Runner) Reverse(ctx context.Context, w Work) (Outcome, error) {
	begun := time.Now()
	line := r.Books.Lines[stepOf(w)]
	line.Migration, line.Kind = w.ID.Migration, w.ID.Kind
	line.Doing, line.Finished = 0, nil
	line.Reversed = r.Books.Clock()
	outcome := Outcome{Rows: -1}
	gone := r.cursor(w).AllGone()
	err := r.insist(ctx, w, func(ctx context.Context, wait time.Duration) error {
		if w.Action == nil {
			return r.write(ctx, line, gone...)
		}
		task := r.task(w)
		task.Wait = wait
		task.Record = func(store.Progress) []store.Note { return append(gone, line.Note()) }
		progress, err := r.Store.Do(ctx, task)
		outcome.Rows = progress.Rows
		return err
	})
	outcome.Took = time.Since(begun)
	if err != nil {
		return outcome, r.failure(ctx, w, err)
	}
	r.keep(line)
	delete(r.Books.Cursors, stepOf(w))
	r.tell(wire.Event{Kind: wire.EventDone, Rows: outcome.Rows, Took: outcome.Took.Seconds(), Text: "undone"}, w.ID)
	return outcome, nil
}
