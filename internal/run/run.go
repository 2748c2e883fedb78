// Package run performs steps on one store, under its lease, and writes the
// ledger with them. It neither plans nor reads files: what to run, and whether
// it may, was decided before; here each step is brought to its end, or left in
// a state from which the next run goes on by itself.
//
// The invariant: a step is done in the ledger only if all of its work is in the
// store. Where a statement cannot be in one transaction with its record, a
// "doing" line stands before it, and the effect is looked at before anything
// is repeated.
package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// Work is one step with all that is needed to perform it.
type Work struct {
	ID     plan.StepID
	Sum    string // of its section
	File   string // for messages
	Action store.Action
	Each   bool // statement by statement
	// Proof must find nothing, in the same transaction as the action. That of a
	// Stretched one is asked once, before its first stretch: afterwards what it
	// compares is half gone.
	Proof store.Action
	Firm  bool // keep writers out while Proof is asked, see store.Task
	// Repeatable and Match are those of a backfill, see store.Parsed.
	Repeatable bool
	Match      store.Action
	// Seal is a Stretched action that a verify performs when it finds nothing,
	// before it is done; nil: none.
	Seal store.Action
	// Sweeps is the backfill that a verify opens again when it finds something.
	Sweeps      *Work
	LockTimeout time.Duration // longest wait for one lock; 0: the store's default
	// Writers and Readers are the step's floors, for its line; "": none.
	Writers, Readers string
}

// Runner performs steps on one store.
type Runner struct {
	Store   store.Store
	Name    string // of the store
	Lease   *book.Lease
	Books   *book.State // as read under the lease; kept up to date by the runner
	Release string      // of the program that runs
	Tell    func(wire.Event)
	Until   time.Time // nothing new is begun after it; zero: no limit
	Sample  int       // violations to show

	// LockLimit is how long locks inside the store are tried for. 0: LockPatience.
	LockLimit time.Duration
	// Timeout is the longest time of one statement of a step that is not done in
	// stretches. 0: none.
	Timeout time.Duration
	// Workers is how many workers a backfill has, where the store can split it.
	// 0: DefaultWorkers.
	Workers int

	telling sync.Mutex // of Tell: workers have something to say at once
}

// Outcome is what became of a step.
type Outcome struct {
	Rows    int64 // changed, or -1
	Took    time.Duration
	Resumed bool
	Swept   int    // times that the backfill was opened again
	Note    string // "was done already", "index dropped and built again"
}

// ErrUntil says that the time given by Until was reached. What is done is
// recorded; the step goes on in the next run.
var ErrUntil = errors.New("the time limit was reached")

// ViolatedError says that a verification found something.
type ViolatedError struct {
	Work   Work
	Rows   int64
	Sample []string
	Swept  int // times that the backfill was opened again before giving up
}

func (e *ViolatedError) Error() string {
	return fmt.Sprintf("%s found %d violations", e.Work.ID, e.Rows)
}

// EditedError says that a statement that has run was changed in its file.
type EditedError struct {
	ID        plan.StepID
	Statement int // from 1
	Line      int // in the file as it is now; 0: the statement is gone
}

func (e *EditedError) Error() string {
	return fmt.Sprintf("statement %d of %s has run and was changed since", e.Statement, e.ID)
}

// UndecidedError says that nobody but an operator can tell what became of a
// statement that a dead run had begun.
type UndecidedError struct {
	ID        plan.StepID
	Statement int
	Text      string
	Because   string
}

func (e *UndecidedError) Error() string {
	return fmt.Sprintf("statement %d of %s was begun by a run that died, and it cannot be told whether it took effect: %s", e.Statement, e.ID, e.Because)
}

// StepError says which step failed.
type StepError struct {
	Work Work
	Err  error
}

func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Work.ID, e.Err) }

func (e *StepError) Unwrap() error { return e.Err }

// Perform brings one step to its end and records it.
func (r *Runner) Perform(ctx context.Context, w Work) (Outcome, error) {
	if r.late() {
		return Outcome{}, ErrUntil
	}
	begun := time.Now()
	r.tell(wire.Event{Kind: wire.EventBegun}, w.ID)
	outcome, err := r.perform(ctx, w)
	outcome.Took = time.Since(begun)
	if err != nil {
		return outcome, r.failure(ctx, w, err)
	}
	r.tell(wire.Event{Kind: wire.EventDone, Rows: outcome.Rows, Took: outcome.Took.Seconds(), Text: outcome.Note}, w.ID)
	return outcome, nil
}

func (r *Runner) perform(ctx context.Context, w Work) (Outcome, error) {
	switch {
	case w.Action.Shape() == store.Stretched:
		if err := r.proven(ctx, w); err != nil {
			return Outcome{}, err
		}
		w.Proof = nil
		return r.stretch(ctx, w)
	case w.Action.Shape() == store.Query:
		return r.verify(ctx, w)
	case w.Each:
		return r.each(ctx, w)
	}
	return r.whole(ctx, w)
}

// failure names the step, and tells a runner that was displaced, or a limit
// that was reached, from a step that failed.
func (r *Runner) failure(ctx context.Context, w Work, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(cause, book.ErrDisplaced) {
		err = cause
	}
	err = book.Lost(err)
	var violated *ViolatedError
	if errors.Is(err, ErrUntil) || errors.As(err, &violated) {
		return err
	}
	return &StepError{Work: w, Err: err}
}

func (r *Runner) late() bool { return !r.Until.IsZero() && !time.Now().Before(r.Until) }

func (r *Runner) tell(e wire.Event, id plan.StepID) {
	if r.Tell == nil {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	e.Time, e.Store, e.Migration, e.Step = time.Now(), id.Store, id.Migration, id.Kind.String()
	r.Tell(e)
}

// line gives the step's line as far as it got, or a new one.
func (r *Runner) line(w Work) book.Line {
	line, found := r.Books.Lines[book.Step{Migration: w.ID.Migration, Kind: w.ID.Kind}]
	if found && line.IsBegun() {
		line.Sum = w.Sum
		return line
	}
	return book.Line{
		Migration: w.ID.Migration, Kind: w.ID.Kind, Sum: w.Sum, Begun: r.Books.Clock(),
		Release: r.Release, Host: r.Lease.Holder.Host, Operator: r.Lease.Holder.Operator, Sweeps: line.Sweeps,
		Writers: w.Writers, Readers: w.Readers,
	}
}

// finished completes a line.
func (r *Runner) finished(line book.Line, rows int64) book.Line {
	line.Done, line.Doing, line.Reversed = r.Books.Clock(), 0, time.Time{}
	line.Finished = nil
	if rows > 0 {
		line.Rows = rows
	}
	return line
}

// keep takes over into Books what was written to the store.
func (r *Runner) keep(line book.Line) {
	r.Books.Lines[book.Step{Migration: line.Migration, Kind: line.Kind}] = line
}

// write records a line by itself, under the lease.
func (r *Runner) write(ctx context.Context, line book.Line, more ...store.Note) error {
	if err := r.Lease.Write(ctx, append(more, line.Note())...); err != nil {
		return err
	}
	r.keep(line)
	return nil
}

// task begins a task of the work.
func (r *Runner) task(w Work) store.Task {
	return store.Task{
		Action: w.Action, Proof: w.Proof, Firm: w.Firm, Sample: r.Sample,
		Guard: r.Lease.Guard(), Session: r.Lease.Session(), Wait: r.waitOf(w, 0), Timeout: r.Timeout,
	}
}
