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
	lockPatience   = 5 * time.Minute  // a lock that the application holds
	serverPatience = 90 * time.Second // a server that restarts
	raceTries      = 10               // deadlocks and serialization failures
	firstPause     = 50 * time.Millisecond
	longestPause   = 3 * time.Second
)

// errRecorded says that a broken connection had left the work done, and
// recorded, after all.
var errRecorded = errors.New("the work was recorded as done")

// passing tells whether an error may go away by itself.
func passing(err error) bool {
	var locked *store.LockedError
	var gone *store.UnreachableError
	return errors.As(err, &locked) || errors.As(err, &gone) || racing(err)
}

// racing tells a loser of a race with the application: its transaction was
// taken back by the server and can be run again.
func racing(err error) bool {
	var failed *store.StatementError
	return errors.As(err, &failed) && (failed.Code == "40P01" || failed.Code == "40001")
}

// patience is how much is left of it for one piece of work.
type patience struct {
	since time.Time
	tries int
}

// pause gives the time to wait before the next attempt, or false when patience
// is over.
func (p *patience) pause(err error) (time.Duration, bool) {
	p.tries++
	grown := min(firstPause<<min(p.tries-1, 6), longestPause)
	jittered := grown/2 + rand.N(grown)
	var locked *store.LockedError
	var gone *store.UnreachableError
	switch {
	case errors.As(err, &locked):
		return jittered, time.Since(p.since) < lockPatience
	case errors.As(err, &gone):
		return jittered, time.Since(p.since) < serverPatience
	}
	return jittered, p.tries <= raceTries
}

// insist attempts a piece of work until it is done, or fails for a reason that
// does not pass. An attempt must leave nothing behind when it fails, or do the
// same when it is repeated. After a broken connection nobody knows whether the
// last commit arrived: the books are read again, and they tell.
func (r *Runner) insist(ctx context.Context, w Work, attempt func(context.Context) error) error {
	p := patience{since: time.Now()}
	for {
		err := attempt(ctx)
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
				return err
			}
			r.tell(wire.Event{Kind: wire.EventRetry, Attempt: p.tries, Text: err.Error()}, w.ID)
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			err = r.reread(ctx, err, w)
		}
	}
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
