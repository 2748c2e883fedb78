package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// How long faults that pass by themselves are borne with.
const (
	// LockPatience is how long locks that the application holds are tried for,
	// where nobody says otherwise.
	LockPatience   = 10 * time.Minute
	serverPatience = 90 * time.Second // a server that restarts
	raceTries      = 10               // deadlocks and serialization failures
	firstPause     = 50 * time.Millisecond
	longestPause   = 3 * time.Second
)

// The pause between two attempts at a lock grows with the time that was spent,
// so that a lock which is free after ten seconds is had within a second more.
const (
	firstLockPause = 100 * time.Millisecond
	lockPauseShare = 12 // the pause is this fraction of the time spent
)

// A single wait for a lock grows only when short ones have led nowhere for
// minutes: whoever comes behind it in the queue waits as long.
const (
	longestWait = time.Second
	waitGrows   = 2 * time.Minute
	waitGrowth  = 1.3 // a minute
)

// errRecorded says that a broken connection had left the work done, and
// recorded, after all.
var errRecorded = errors.New("the work was recorded as done")

// GaveUpError says that a lock was not had in all the time that there was for it.
type GaveUpError struct {
	After  time.Duration
	Tries  int
	Locked *store.LockedError // the last one that names somebody
}

func (e *GaveUpError) Error() string {
	return fmt.Sprintf("no lock was had in %s (%d attempts of up to %s)", e.After.Round(time.Second), e.Tries, e.Locked.Waited)
}

func (e *GaveUpError) Unwrap() error { return e.Locked }

// passing tells whether an error may go away by itself.
func passing(err error) bool {
	var locked *store.LockedError
	var gone *store.UnreachableError
	return errors.As(err, &locked) || errors.As(err, &gone) && !gone.Denied || racing(err)
}

// racing tells a loser of a race with the application: its transaction was
// taken back by the server and can be run again.
func racing(err error) bool {
	var failed *store.StatementError
	return errors.As(err, &failed) && (failed.Code == "40P01" || failed.Code == "40001")
}

// patience is how much is left of it for one piece of work.
type patience struct {
	since  time.Time
	locks  time.Duration // how long locks are tried for
	tries  int
	locked *store.LockedError // the last one that names somebody
}

// pause gives the time to wait before the next attempt, or false when patience
// is over.
func (p *patience) pause(err error) (time.Duration, bool) {
	p.tries++
	spent := time.Since(p.since)
	var locked *store.LockedError
	var gone *store.UnreachableError
	switch {
	case errors.As(err, &locked):
		if p.locked == nil || len(locked.By) > 0 {
			p.locked = locked
		}
		return lockPause(spent, rand.Float64()), spent < p.locks
	case errors.As(err, &gone):
		return jittered(p.tries), spent < serverPatience
	}
	return jittered(p.tries), p.tries <= raceTries
}

func jittered(tries int) time.Duration {
	grown := min(firstPause<<min(tries-1, 6), longestPause)
	return grown/2 + rand.N(grown)
}

// lockPause is the pause after so much time spent on a lock; dice is in [0, 1).
func lockPause(spent time.Duration, dice float64) time.Duration {
	pause := min(max(firstLockPause, spent/lockPauseShare), longestPause)
	return time.Duration(float64(pause) * (0.75 + dice/2))
}

// lockWait is how long an attempt waits for a lock after so much time spent.
func lockWait(first, spent time.Duration) time.Duration {
	wait := float64(first)
	for late := spent - waitGrows; late > 0 && wait < float64(longestWait); late -= time.Minute {
		wait *= waitGrowth
	}
	return max(first, min(time.Duration(wait), longestWait))
}

// waitOf gives how long an attempt may wait for one lock: what the directive
// says; else, where others queue behind it, a short time; else what the store
// thinks right.
func (r *Runner) waitOf(w Work, spent time.Duration) time.Duration {
	if w.LockTimeout > 0 {
		return w.LockTimeout
	}
	if queuer, able := store.As[store.Queuer](r.Store); able {
		return lockWait(queuer.ShortWait(), spent)
	}
	return 0
}

// insist attempts a piece of work until it is done, or fails for a reason that
// does not pass. An attempt must leave nothing behind when it fails, or do the
// same when it is repeated; it is told how long it may wait for a lock. After a
// broken connection nobody knows whether the last commit arrived: the books are
// read again, and they tell.
func (r *Runner) insist(ctx context.Context, w Work, attempt func(ctx context.Context, wait time.Duration) error) error {
	return r.insistOn(ctx, w, attempt, func(err error) error { return r.reread(ctx, err, w) })
}

// insistOn is insist with another way to find out what is known after a fault.
func (r *Runner) insistOn(ctx context.Context, w Work, attempt func(ctx context.Context, wait time.Duration) error, mend func(error) error) error {
	p := patience{since: time.Now(), locks: r.lockLimit()}
	for {
		err := attempt(ctx, r.waitOf(w, time.Since(p.since)))
		if err == nil {
			return nil
		}
		// The next attempt waits until it is known what became of this one.
		for err != nil {
			if !passing(err) || ctx.Err() != nil {
				return err
			}
			pause, more := p.pause(err)
			if !more {
				return p.over(err)
			}
			r.tell(p.event(err), w.ID)
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			err = mend(err)
		}
	}
}

func (r *Runner) lockLimit() time.Duration {
	if r.LockLimit > 0 {
		return r.LockLimit
	}
	return LockPatience
}

// over gives the error with which a piece of work ends when patience does.
func (p *patience) over(err error) error {
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		return err
	}
	p.locked.Waited = locked.Waited
	return &GaveUpError{After: time.Since(p.since), Tries: p.tries, Locked: p.locked}
}

// event tells of a fault that may pass: for whose lock the work waits, by name.
func (p *patience) event(err error) wire.Event {
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		return wire.Event{Kind: wire.EventRetry, Attempt: p.tries, Text: err.Error()}
	}
	e := wire.Event{Kind: wire.EventWaiting, Attempt: p.tries, Text: fmt.Sprintf("waits for a lock (attempt %d)", p.tries)}
	if by := p.locked.Holders(); by != "" {
		e.Text += " of " + by
	}
	return e
}

// reread brings Books up to date after a broken connection. While they cannot be
// read it is not known whether the work was committed: that is its error.
func (r *Runner) reread(ctx context.Context, cause error, w Work) error {
	var gone *store.UnreachableError
	if !errors.As(cause, &gone) {
		return nil
	}
	books, err := book.Read(ctx, r.Store)
	if err != nil {
		return err
	}
	r.Books = books
	if r.recorded(w) {
		return errRecorded
	}
	return nil
}

// recorded tells whether the books, as last read, have the work as done.
func (r *Runner) recorded(w Work) bool {
	line, found := r.Books.Lines[stepOf(w)]
	return found && line.IsDone() && line.Sum == w.Sum
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait: %w", context.Cause(ctx))
	case <-timer.C:
		return nil
	}
}
