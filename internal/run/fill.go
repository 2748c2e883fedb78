package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// How a backfill is spread.
const (
	DefaultWorkers = 2
	MaxWorkers     = 8
	spansPerWorker = 4 // the last spans then end at about the same time
)

// fill performs a backfill with several workers, each on a span of the keys with
// its own cursor. The spans are written down with the step's line before
// anything else: whoever dies later leaves each span at its last stretch that
// was committed, and the next run reads them again.
//
// The step is done when all spans are, and every transaction has ended that may
// have written behind one of them without being seen.
func (r *Runner) fill(ctx context.Context, w Work, splitter store.Splitter) (Outcome, error) {
	line, cursor := r.line(w), r.cursor(w)
	outcome := Outcome{Resumed: begunBefore(cursor)}
	cursor, err := r.spread(ctx, w, cursor, splitter)
	if err != nil {
		return outcome, err
	}
	err = r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error { return r.write(ctx, line, cursor.Notes()...) })
	if err != nil {
		return outcome, err
	}
	f := newFilling(r, w, cursor)
	if outcome.Resumed {
		r.tell(f.pace.event(wire.EventResumed), w.ID)
	}
	outcome.Swept, err = f.complete(ctx)
	outcome.Rows = r.rows(w)
	return outcome, err
}

func begunBefore(cursor book.Cursor) bool {
	for _, s := range cursor.Spans {
		if s.Ended || len(s.At) > 0 {
			return true
		}
	}
	return len(cursor.At) > 0
}

// spread gives a cursor its spans, unless it has them from an earlier run.
func (r *Runner) spread(ctx context.Context, w Work, cursor book.Cursor, splitter store.Splitter) (book.Cursor, error) {
	if cursor.Parts != len(cursor.Spans) {
		return cursor, fmt.Errorf("the books have %d of the %d spans of %s: somebody has taken notes away", len(cursor.Spans), cursor.Parts, w.ID)
	}
	if cursor.Total == 0 {
		cursor.Total = r.foresee(ctx, w)
	}
	switch {
	case cursor.Parts > 0:
		return cursor, nil
	case len(cursor.At) > 0: // begun without spans: the rest is one
		cursor.Spans = []book.Span{{At: cursor.At, Size: cursor.Size}}
		cursor.At = nil
	default:
		err := r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error {
			spans, err := splitter.Split(ctx, w.Action, spansPerWorker*r.workers())
			cursor.Spans = nil
			for i, s := range spans {
				cursor.Spans = append(cursor.Spans, book.Span{Number: i, From: s.From, Upto: s.Upto})
			}
			return err
		})
		if err != nil {
			return cursor, err
		}
	}
	cursor.Parts = len(cursor.Spans)
	return cursor, nil
}

func (r *Runner) workers() int {
	if r.Workers == 0 {
		return DefaultWorkers
	}
	return min(r.Workers, MaxWorkers)
}

// complete brings all spans to their end, waits for older transactions, and
// sweeps again where the work itself can tell that rows were missed. It records
// the step as done.
func (f *filling) complete(ctx context.Context) (swept int, err error) {
	for {
		if err := f.pass(ctx); err != nil {
			return swept, err
		}
		if err := f.awaitOlder(ctx); err != nil {
			return swept, err
		}
		found := store.Progress{}
		if f.w.Match != nil {
			if found, err = f.r.ask(ctx, f.w, f.w.Match); err != nil {
				return swept, err
			}
		}
		if found.Rows == 0 {
			return swept, f.finish(ctx)
		}
		if swept == maxSweeps {
			return swept, &ViolatedError{Work: f.w, Rows: found.Rows, Sample: found.Sample, Swept: swept}
		}
		swept++
		if err := f.reopen(ctx, found.Rows); err != nil {
			return swept, err
		}
	}
}

// finish records the step as done and takes its cursors away.
func (f *filling) finish(ctx context.Context) error {
	line := f.r.finished(f.r.line(f.w), f.cursor.Changed())
	err := f.r.insist(ctx, f.w, func(ctx context.Context, _ time.Duration) error {
		return f.r.write(ctx, line, f.cursor.AllGone()...)
	})
	if err != nil && !errors.Is(err, errRecorded) {
		return err
	}
	delete(f.r.Books.Cursors, stepOf(f.w))
	return nil
}

// reopen begins every span anew.
func (f *filling) reopen(ctx context.Context, found int64) error {
	line := f.r.line(f.w)
	line.Sweeps++
	f.cursor.Rows, f.cursor.Sweep = f.cursor.Changed(), line.Sweeps
	for i := range f.cursor.Spans {
		s := &f.cursor.Spans[i]
		s.At, s.Rows, s.Seen, s.Ended = nil, 0, 0, false
	}
	err := f.r.insist(ctx, f.w, func(ctx context.Context, _ time.Duration) error {
		return f.r.write(ctx, line, f.cursor.Notes()...)
	})
	if err != nil {
		return err
	}
	f.pace.total = 0 // nobody can tell how many of the rows are left
	f.r.tell(wire.Event{Kind: wire.EventReopened, Rows: found, Text: "they were written behind it"}, f.w.ID)
	return nil
}

// How often transactions that are older than the end of a backfill are looked
// for.
const (
	firstOlderLook   = 20 * time.Millisecond
	longestOlderLook = time.Second
)

// OlderError says that a transaction that is older than a backfill's end did not
// end: what it has written cannot be seen yet.
type OlderError struct {
	After time.Duration
	By    []store.Session
}

func (e *OlderError) Error() string {
	return fmt.Sprintf("all rows that can be seen are done, but after %s %d older transactions are still open: what they have written may be missing",
		e.After.Round(time.Second), len(e.By))
}

// awaitOlder waits until every transaction has ended that had written before the
// last span ended: a row that it inserted could not be seen when its keys were
// gone through. Whoever dies here leaves all spans ended; the next run waits
// anew.
func (f *filling) awaitOlder(ctx context.Context) error {
	outlaster, able := store.As[store.Outlaster](f.r.Store)
	if !able {
		return nil
	}
	begun, pause, moment := time.Now(), firstOlderLook, ""
	for {
		var older []store.Session
		err := f.r.insist(ctx, f.w, func(ctx context.Context, _ time.Duration) (err error) {
			moment, older, err = outlaster.Older(ctx, moment)
			return err
		})
		if err != nil || len(older) == 0 {
			return err
		}
		switch spent := time.Since(begun); {
		case f.r.late():
			return ErrUntil
		case spent > f.r.lockLimit():
			return &OlderError{After: spent, By: older}
		case spent > longestOlderLook:
			f.r.tell(wire.Event{Kind: wire.EventWaiting, Text: "waits for a transaction that is older than the end of the backfill: " + older[0].String()}, f.w.ID)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, longestOlderLook)
	}
}
