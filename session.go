package stopover

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/run"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// held is a store under our lease.
type held struct {
	*sight
	lease  *book.Lease
	runner *run.Runner
}

// session is the right to change some stores, until release.
type session struct {
	app    *App
	ctx    context.Context // ends when any of the leases is lost
	cancel context.CancelCauseFunc
	held   map[string]*held
}

// take acquires the leases of stores in the order of their names, so that two
// runners never wait for each other, makes their books where there are none,
// ends the sessions of runners that lost the lease, and looks again: what was
// seen before may have been changed by whoever held it.
func (a *App) take(ctx context.Context, command string, sights []*sight, until time.Time) (*session, error) {
	s := &session{app: a, held: map[string]*held{}}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	ordered := slices.Clone(sights)
	slices.SortFunc(ordered, func(x, y *sight) int { return strings.Compare(x.name, y.name) })
	for _, seen := range ordered {
		h, err := a.takeOne(s.ctx, seen, s.askFor(command, seen.name))
		if err != nil {
			err = s.twice(seen.name, err)
			s.release()
			f := a.explain(seen.name, err)
			if f.Detail.Safe == staysRecorded {
				f.Detail.Safe = nothingChanged // nothing of this run was begun
			}
			return nil, f
		}
		h.runner.Until = until
		s.held[seen.name] = h
		context.AfterFunc(h.lease.Context(), func() { s.cancel(context.Cause(h.lease.Context())) })
	}
	return s, nil
}

func (a *App) takeOne(ctx context.Context, seen *sight, ask book.Ask) (*held, error) {
	empty, err := a.mayOwn(ctx, seen)
	if err != nil {
		return nil, err
	}
	if err := seen.st.Prepare(ctx); err != nil {
		return nil, fmt.Errorf("make the books: %w", err)
	}
	lease, err := book.Acquire(ctx, seen.st, ask)
	if err != nil {
		return nil, err
	}
	h := &held{lease: lease}
	if err := a.settle(lease.Context(), h, seen, empty); err != nil {
		lease.Release()
		return nil, err
	}
	return h, nil
}

func (a *App) askFor(command, storeName string) book.Ask {
	return book.Ask{Host: host(), PID: os.Getpid(), Operator: a.operator(), Command: command,
		Wait: a.cfg.LockWait, Waiting: a.waiting(storeName), TTL: a.cfg.leaseTTL}
}

// askFor asks as App.askFor, but does not wait for a lease that this session
// holds itself: it would be renewed for ever.
func (s *session) askFor(command, storeName string) book.Ask {
	ask := s.app.askFor(command, storeName)
	tell := ask.Waiting
	ask.Waiting = func(h book.Holder, left time.Duration) {
		if s.holds(h) != "" {
			s.cancel(s.twice(storeName, &book.HeldError{Holder: h}))
			return
		}
		tell(h, left)
	}
	return ask
}

// holds names the store of this session whose lease it is; "" if none.
func (s *session) holds(holder book.Holder) string {
	for name, h := range s.held {
		if mine := h.lease.Holder; mine.Epoch == holder.Epoch && mine.PID == holder.PID && mine.Host == holder.Host && mine.Since.Equal(holder.Since) {
			return name
		}
	}
	return ""
}

// twice explains a lease that was not had because this session has it under
// another name: two stores of the catalogue are one. Any other error stays.
func (s *session) twice(storeName string, err error) error {
	var known *Failure
	if errors.As(context.Cause(s.ctx), &known) {
		return known
	}
	var taken *book.HeldError
	if !errors.As(err, &taken) || s.holds(taken.Holder) == "" {
		return err
	}
	f := misuse(fmt.Sprintf("%s and %s are one store under two names", s.holds(taken.Holder), storeName), s.app.cmd("status"))
	f.Detail.Hint = "give each a url, schema or file of its own, or put their migrations into one store"
	return f.in(storeName)
}

// mayOwn tells whether the store is empty, and refuses one that is neither
// empty nor ours, or that takes no writes.
func (a *App) mayOwn(ctx context.Context, seen *sight) (empty bool, err error) {
	if seen.stamped() {
		return false, nil
	}
	survey, err := seen.surveyed(ctx)
	if err != nil {
		return false, err
	}
	if survey.ReadOnly || len(survey.Missing) > 0 {
		missing := "any write"
		if len(survey.Missing) > 0 {
			missing = survey.Missing[0]
		}
		return false, &store.RightsError{Missing: missing}
	}
	return survey.Empty, nil
}

// settle makes the store ours, ends what displaced runners left running, and
// reads the books once more.
func (a *App) settle(ctx context.Context, h *held, seen *sight, empty bool) error {
	if h.lease.Taken != nil {
		a.cfg.tell(Event{Kind: wire.EventTakenOver, Store: seen.name,
			Text: fmt.Sprintf("took over the lease of %s (pid %d), dead since %s", h.lease.Taken.Host, h.lease.Taken.PID, h.lease.Taken.Renewed.Format(time.TimeOnly))})
	}
	if err := endDisplaced(ctx, seen.st, h.lease); err != nil {
		return err
	}
	fresh := a.lookAt(ctx, seen.place)
	if fresh.err != nil {
		return fresh.err
	}
	if fresh.books.Stamp == nil {
		stamp := book.Stamp{ID: newID(), Application: a.project.Application, Since: fresh.books.Clock(), Fresh: empty}
		if err := h.lease.Stamp(ctx, stamp); err != nil {
			return book.Lost(err)
		}
		fresh.books.Stamp = &stamp
	}
	h.sight = fresh
	h.runner = &run.Runner{Store: fresh.st, Name: fresh.name, Lease: h.lease, Books: fresh.books,
		Release: a.cfg.Release, Tell: a.cfg.tell, Sample: sampleSize,
		LockLimit: a.cfg.DDLWait, Timeout: a.cfg.StatementTimeout, Workers: a.cfg.Workers}
	return nil
}

// sampleSize is how many violations are shown; all are counted.
const sampleSize = 10

// endDisplaced ends the sessions of runners whose lease is gone: a process that
// was killed, or only sleeps, may have left a statement running that holds
// locks or would still commit.
func endDisplaced(ctx context.Context, s store.Store, lease *book.Lease) error {
	lister, able := store.As[store.Lister](s)
	if !able || lease.Holder.Epoch == 1 {
		return nil
	}
	sessions, err := lister.Sessions(ctx)
	if unlisted(err) {
		return nil // the guards keep a displaced runner from writing
	}
	if err != nil {
		return fmt.Errorf("look for sessions of displaced runners: %w", err)
	}
	for _, session := range sessions {
		if !lease.Displaced(session) {
			continue
		}
		if err := lister.End(ctx, session); err != nil {
			return fmt.Errorf("end session %s of a displaced runner: %w", session.ID, err)
		}
	}
	return nil
}

// waiting tells for whom a runner waits, when it begins to and every ten
// seconds from then on.
func (a *App) waiting(storeName string) func(book.Holder, time.Duration) {
	var told time.Time
	return func(h book.Holder, left time.Duration) {
		if time.Since(told) < 10*time.Second {
			return
		}
		told = time.Now()
		a.cfg.tell(Event{Kind: wire.EventWaiting, Store: storeName, Left: left.Seconds(),
			Text: fmt.Sprintf("waiting for the lease of %s (pid %d, %s, last renewed %.0f s ago): free in %.0f s if it is dead",
				h.Host, h.PID, h.Operator, (h.TTL - left).Seconds(), left.Seconds())})
	}
}

// release gives all leases back.
func (s *session) release() {
	if len(s.app.stores) > 1 {
		s.witness()
	}
	for _, h := range s.held {
		if follower, able := store.As[store.Follower](h.st); able {
			follower.Unfollow()
		}
		h.lease.Release()
	}
	s.cancel(nil)
}

// sights gives what was seen under the leases, with the other stores as they
// were seen before.
func (s *session) sights(before []*sight) []*sight {
	now := slices.Clone(before)
	for i, seen := range now {
		if h := s.held[seen.name]; h != nil {
			now[i] = h.sight
		}
	}
	return now
}

func newID() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	return hex.EncodeToString(random[:])
}

func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04:05")
}
