package run

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/store"
)

// stretchLimit is the longest time of the statement of one stretch. One that
// takes longer is taken back and tried again with fewer rows.
const stretchLimit = 30 * time.Second

// queryCanceled is the code of a statement that had its time.
const queryCanceled = "57014"

// hadItsTime tells a statement that took too long from one that somebody
// cancelled: that is not tried again against their will.
func hadItsTime(failed *store.StatementError) bool {
	return failed.Code == queryCanceled && !strings.Contains(failed.Message, "user request")
}

// filling is one backfill with its workers.
type filling struct {
	r    *Runner
	w    Work
	gate *gate

	mutex  sync.Mutex // of all below
	cursor book.Cursor
	busy   map[int]int // span by worker, both by number
	ending bool        // nothing new is begun
	pace   *pace       // of all workers; its size is what a new worker begins with
}

func newFilling(r *Runner, w Work, cursor book.Cursor) *filling {
	r.Books.Cursors[stepOf(w)] = cursor
	f := &filling{r: r, w: w, cursor: cursor, gate: newGate(r.workers(), r.Books.Control), busy: map[int]int{}, pace: newPace(cursor, time.Now())}
	f.pace.sizer = newSizer(cursor.Size, shareOf(cursor.Total, r.workers()))
	return f
}

// left is a worker that ended.
type left struct {
	worker int
	err    error
}

// pass goes through all spans that have not ended. An error of one worker ends
// the others too; the first is given.
func (f *filling) pass(ctx context.Context) (failed error) {
	within, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { f.watch(within) })
	ended, running := make(chan left, MaxWorkers), 0
	for {
		changed := f.gate.changed()
		for worker, span := f.hire(); span >= 0; worker, span = f.hire() {
			running++
			go func() { ended <- left{worker, f.work(within, worker, span)} }()
		}
		if running == 0 {
			break
		}
		select {
		case <-changed: // there may be room for more
		case one := <-ended:
			running--
			f.dismiss(one)
			if one.err == nil || failed != nil {
				continue
			}
			if failed = one.err; !errors.Is(failed, ErrUntil) {
				cancel() // the others need not come to the end of their stretches
			}
		}
	}
	cancel()
	watching.Wait()
	f.r.Books.Cursors[stepOf(f.w)] = f.cursor
	return failed
}

// hire gives a further worker, if one is wanted and there is a span for it; span
// -1: none.
func (f *filling) hire() (worker, span int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	span = f.free()
	if f.ending || span < 0 {
		return 0, -1
	}
	for worker := range f.gate.workers() {
		if _, works := f.busy[worker]; !works {
			f.busy[worker] = span
			return worker, span
		}
	}
	return 0, -1
}

// free is the first span that has not ended and nobody works on; -1: none.
func (f *filling) free() int {
	taken := make(map[int]bool, len(f.busy))
	for _, span := range f.busy {
		taken[span] = true
	}
	for i, s := range f.cursor.Spans {
		if !s.Ended && !taken[i] {
			return i
		}
	}
	return -1
}

func (f *filling) dismiss(one left) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.busy, one.worker)
	f.ending = f.ending || one.err != nil
}

// work performs the stretches of a span until it has ended, or this worker is
// not wanted any more.
func (f *filling) work(ctx context.Context, worker, number int) error {
	size := f.beginWith(number)
	for {
		if f.r.late() {
			return ErrUntil
		}
		if f.over(number) || worker >= f.gate.workers() {
			return nil
		}
		rows, err := f.gate.pass(ctx, size.size)
		if err != nil {
			return err
		}
		if rows == 0 {
			continue // it was held up for a while
		}
		if err := f.stretch(ctx, number, &size, rows); err != nil {
			return err
		}
	}
}

// beginWith gives the size of the first stretch: what was learnt on this span,
// or on another one.
func (f *filling) beginWith(number int) sizer {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	size := f.pace.sizer
	if learnt := f.cursor.Spans[number].Size; learnt > 0 {
		size.size = min(learnt, size.most)
	}
	return size
}

func (f *filling) over(number int) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.cursor.Spans[number].Ended || f.ending
}

func (f *filling) span(number int) book.Span {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.cursor.Spans[number]
}

// stretch performs one stretch of a span. Rows that the application holds, or a
// statement that takes too long, make it smaller before it is tried again.
func (f *filling) stretch(ctx context.Context, number int, size *sizer, rows int) error {
	attempt := func(ctx context.Context, wait time.Duration) error {
		for {
			err := f.attempt(ctx, number, size, rows, wait)
			var failed *store.StatementError
			var locked *store.LockedError
			switch {
			case errors.As(err, &failed) && hadItsTime(failed) && rows > 1:
				size.shrink(rows, 4)
				rows = size.size
				continue
			case errors.As(err, &locked), racing(err):
				size.shrink(rows, 2)
				rows = size.size
			}
			return err
		}
	}
	return f.r.insistOn(ctx, f.w, attempt, func(cause error) error { return f.reread(ctx, cause, number) })
}

func (f *filling) attempt(ctx context.Context, number int, size *sizer, rows int, wait time.Duration) error {
	next := f.span(number)
	if next.Ended {
		return nil // a broken connection had committed its end
	}
	task := f.r.task(f.w)
	task.Cursor, task.Part = next.At, store.Span{From: next.From, Upto: next.Upto}
	task.Size, task.Wait, task.Timeout = rows, wait, stretchLimit
	before := next
	task.Record = func(p store.Progress) []store.Note {
		next = counted(before, p, rows)
		next.At, next.Size, next.Ended = p.Cursor, size.size, p.Done
		return []store.Note{f.cursor.SpanNote(next)}
	}
	progress, err := f.r.Store.Do(ctx, task)
	if err != nil {
		return err
	}
	// The record may have been made before the rows were known: the next one, or
	// the step's line, has them. Whoever dies in between leaves them uncounted.
	done := counted(before, progress, rows)
	next.Rows, next.Seen = done.Rows, done.Seen
	if rows == size.size {
		size.fit(progress.Took)
	}
	f.advance(next, *size)
	return nil
}

// counted adds what a stretch has changed, and gone through, to its span.
func counted(span book.Span, p store.Progress, asked int) book.Span {
	span.Rows += max(p.Rows, 0)
	if p.Done {
		span.Seen += max(p.Rows, 0)
	} else {
		span.Seen += int64(asked)
	}
	return span
}

// advance takes over what a worker has done, and tells of it now and then.
func (f *filling) advance(span book.Span, learnt sizer) {
	f.mutex.Lock()
	f.cursor.Spans[span.Number] = span
	f.pace.sizer = learnt
	f.pace.reached(f.cursor.Changed(), f.cursor.Seen())
	event, due := f.pace.due(time.Now())
	f.mutex.Unlock()
	if due {
		f.r.tell(event, f.w.ID)
	}
}

// reread finds out after a broken connection whether its last commit arrived.
func (f *filling) reread(ctx context.Context, cause error, number int) error {
	var gone *store.UnreachableError
	if !errors.As(cause, &gone) {
		return nil
	}
	view, err := f.r.Store.Look(ctx, f.cursor.SpanKey(number))
	if err != nil {
		return err // until it can be read it is not known whether the work was committed
	}
	span, found, err := f.cursor.ReadSpan(view, number)
	if err != nil || !found {
		return err // not found: whoever took the note away has moved the epoch too
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.cursor.Spans[number] = span
	return nil
}
