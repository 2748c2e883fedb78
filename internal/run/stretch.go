package run

import (
	"context"
	"errors"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// maxSweeps is how often a backfill is opened again for rows that were written
// behind its cursor.
const maxSweeps = 3

// stretch performs a backfill, stretch by stretch, each in one transaction with
// the cursor. Whoever dies here leaves the cursor at the last stretch that was
// committed; the next run goes on from it. Stores that can split their keys are
// filled by several workers, see fill.
func (r *Runner) stretch(ctx context.Context, w Work) (Outcome, error) {
	if splitter, able := store.As[store.Splitter](r.Store); able {
		return r.fill(ctx, w, splitter)
	}
	line, cursor := r.line(w), r.cursor(w)
	outcome := Outcome{Resumed: len(cursor.At) > 0}
	if cursor.Total == 0 {
		cursor.Total = r.foresee(ctx, w)
	}
	// The line goes first: from here on the step has begun and its floors are in
	// force, whatever happens next.
	if err := r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error { return r.write(ctx, line, cursor.Note()) }); err != nil {
		return outcome, err
	}
	r.Books.Cursors[stepOf(w)] = cursor
	pace := newPace(cursor, time.Now())
	if outcome.Resumed {
		r.tell(pace.event(wire.EventResumed), w.ID)
	}
	err := r.sweep(ctx, w, pace)
	if err == nil {
		outcome.Swept, err = r.again(ctx, w, pace)
	}
	outcome.Rows = r.rows(w)
	return outcome, err
}

// proven asks the proof of a step in stretches, unless one of them may have been
// performed already: from the first on there is a cursor. Whoever dies before
// that leaves none, and the proof is asked again.
func (r *Runner) proven(ctx context.Context, w Work) error {
	if _, begun := r.Books.Cursors[stepOf(w)]; begun || w.Proof == nil {
		return nil
	}
	found, err := r.ask(ctx, w, w.Proof)
	if err == nil && found.Rows > 0 {
		err = &store.ViolationError{Rows: found.Rows, Sample: found.Sample}
	}
	return err
}

// sweep performs one pass over what the cursor has left.
func (r *Runner) sweep(ctx context.Context, w Work, pace *pace) error {
	for {
		if r.late() {
			return ErrUntil
		}
		last, err := r.next(ctx, w, pace)
		if errors.Is(err, errRecorded) {
			return nil
		}
		if err != nil || last {
			return err
		}
		if event, due := pace.due(time.Now()); due {
			r.tell(event, w.ID)
		}
	}
}

// again sweeps once more for rows that were written behind the cursor, where
// the work itself can tell that there are some.
func (r *Runner) again(ctx context.Context, w Work, pace *pace) (swept int, err error) {
	if w.Match == nil {
		return 0, nil
	}
	for {
		found, err := r.ask(ctx, w, w.Match)
		if err != nil || found.Rows == 0 {
			return swept, err
		}
		if swept == maxSweeps {
			// It stays open: the next run sweeps from the beginning.
			if err := r.reopen(ctx, w, found.Rows); err != nil {
				return swept, err
			}
			return swept, &ViolatedError{Work: w, Rows: found.Rows, Sample: found.Sample, Swept: swept}
		}
		swept++
		if err := r.reopen(ctx, w, found.Rows); err != nil {
			return swept, err
		}
		if err := r.sweep(ctx, w, pace); err != nil {
			return swept, err
		}
	}
}

// next performs one stretch and tells whether it was the last.
func (r *Runner) next(ctx context.Context, w Work, pace *pace) (last bool, err error) {
	err = r.insist(ctx, w, func(ctx context.Context, wait time.Duration) error {
		cursor, line := r.cursor(w), r.line(w)
		cursor.Size = pace.size
		task := r.task(w)
		task.Cursor, task.Size, task.Wait, task.Timeout = cursor.At, pace.size, wait, 0
		task.Record = func(p store.Progress) []store.Note {
			cursor.At, cursor.Rows = p.Cursor, cursor.Rows+max(p.Rows, 0)
			if !p.Done {
				return []store.Note{cursor.Note()}
			}
			line = r.finished(line, cursor.Rows)
			return []store.Note{line.Note(), cursor.Gone()}
		}
		progress, err := r.Store.Do(ctx, task)
		if err != nil {
			return err
		}
		last = progress.Done
		r.Books.Cursors[stepOf(w)] = cursor
		if last {
			r.keep(line)
			delete(r.Books.Cursors, stepOf(w))
		}
		for _, line := range progress.Noticed {
			r.tell(wire.Event{Kind: wire.EventWarning, Text: line}, w.ID)
		}
		pace.fit(progress.Took)
		pace.reached(cursor.Rows, cursor.Rows)
		return nil
	})
	return last, err
}

// cursor gives the backfill's cursor as far as it got.
func (r *Runner) cursor(w Work) book.Cursor {
	if cursor, found := r.Books.Cursors[stepOf(w)]; found {
		return cursor
	}
	return book.Cursor{Migration: w.ID.Migration, Kind: w.ID.Kind}
}

// rows is what the ledger or the cursor says was changed so far.
func (r *Runner) rows(w Work) int64 {
	if cursor, found := r.Books.Cursors[stepOf(w)]; found {
		return cursor.Changed()
	}
	return r.Books.Lines[stepOf(w)].Rows
}

func stepOf(w Work) book.Step {
	return book.Step{Migration: w.ID.Migration, Kind: w.ID.Kind}
}

// foresee asks the store how many rows there are; 0: it cannot tell.
func (r *Runner) foresee(ctx context.Context, w Work) int64 {
	estimator, able := store.As[store.Estimator](r.Store)
	if !able {
		return 0
	}
	estimate, err := estimator.Estimate(ctx, w.Action)
	if err != nil {
		return 0 // a forecast is a courtesy
	}
	return estimate.Rows
}

// reopen makes a backfill undone again, so that it sweeps from the beginning.
func (r *Runner) reopen(ctx context.Context, w Work, found int64) error {
	line := r.Books.Lines[stepOf(w)]
	line.Migration, line.Kind = w.ID.Migration, w.ID.Kind
	line.Done, line.Sweeps = time.Time{}, line.Sweeps+1
	cursor := book.Cursor{Migration: w.ID.Migration, Kind: w.ID.Kind, Rows: line.Rows, Sweep: line.Sweeps}
	if err := r.write(ctx, line, cursor.Note()); err != nil {
		return err
	}
	r.Books.Cursors[stepOf(w)] = cursor
	r.tell(wire.Event{Kind: wire.EventReopened, Rows: found,
		Text: "written behind its cursor"}, w.ID)
	return nil
}
