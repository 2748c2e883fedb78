package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// TTL is how long a lease lives without being renewed, on the store's clock.
// Renewal is every third of it.
const TTL = 15 * time.Second

// Holder is who holds, or held, a store's lease.
type Holder struct {
	Epoch    int64         `json:"epoch"`
	Host     string        `json:"host"`
	PID      int           `json:"pid"`
	Operator string        `json:"operator,omitempty"`
	Command  string        `json:"command,omitempty"`
	Since    time.Time     `json:"since"`
	TTL      time.Duration `json:"ttl"` // nanoseconds
	Renewed  time.Time     `json:"-"`   // the note's own time
}

// Left is how long the lease still lives if it is not renewed; not positive:
// it is dead.
func (h Holder) Left(now time.Time) time.Duration { return h.Renewed.Add(h.TTL).Sub(now) }

type epochValue struct {
	Epoch int64 `json:"epoch"`
}

// HeldError says that the lease was not had within the time that the caller
// would wait.
type HeldError struct {
	Holder Holder
	Now    time.Time // the store's clock
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("the lease is held by %s (pid %d), last renewed %s ago",
		e.Holder.Host, e.Holder.PID, e.Now.Sub(e.Holder.Renewed).Truncate(time.Second))
}

// ErrDisplaced is the cause of a lease's context when somebody else took the
// lease over.
var ErrDisplaced = errors.New("displaced: the lease went to another runner")

// Ask is how a lease is taken.
type Ask struct {
	Host     string
	PID      int
	Operator string
	Command  string
	TTL      time.Duration // 0: TTL
	Wait     time.Duration // longest wait for a live holder; 0: none
	// Waiting is called about once a second while another holds the lease.
	Waiting func(holder Holder, left time.Duration)
}

// Lease is the right to change a store, until Release or until it is lost.
type Lease struct {
	Holder Holder
	Taken  *Holder // the dead holder from whom it was taken; nil: it was free

	st       store.Store
	stampID  string
	guard    store.Note
	ctx      context.Context
	lose     context.CancelCauseFunc
	stop     chan struct{}
	renewing sync.WaitGroup
	once     sync.Once
}

// Acquire takes the lease of a store whose books are prepared, waiting for a
// live holder. It is renewed in the background until Release. The context of
// the lease ends when it is lost; work under the lease uses that context.
//
// A process that dies here, or later, leaves a lease that is free after its
// time to live: nobody has to clear it.
func Acquire(ctx context.Context, s store.Store, ask Ask) (*Lease, error) {
	if ask.TTL == 0 {
		ask.TTL = TTL
	}
	deadline := time.Now().Add(ask.Wait)
	for {
		view, err := s.Look(ctx, keyEpoch, keyLease, keyStamp)
		if barred(err) && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at the lease: %w", err)
		}
		state, err := decode(view)
		if err != nil {
			return nil, err
		}
		if state.Holder != nil && state.Holder.Left(state.Now) > 0 {
			if err := await(ctx, ask, state, deadline); err != nil {
				return nil, err
			}
			continue
		}
		lease, err := takeOver(ctx, s, ask, state, view)
		if isConflict(err) || barred(err) && time.Now().Before(deadline) {
			continue // somebody was faster, or is: look who
		}
		return lease, err
	}
}

func isConflict(err error) bool {
	var conflict *store.ConflictError
	return errors.As(err, &conflict)
}

// barred tells that the whole store was locked for as long as it waits by
// itself: a holder that sleeps in a transaction does that to a SQLite file.
func barred(err error) bool {
	var locked *store.LockedError
	return errors.As(err, &locked)
}

// await waits for a live holder, at most a second, so that a lease given back
// early is noticed.
func await(ctx context.Context, ask Ask, state *State, deadline time.Time) error {
	left := state.Holder.Left(state.Now)
	if !time.Now().Before(deadline) {
		return &HeldError{Holder: *state.Holder, Now: state.Now}
	}
	if ask.Waiting != nil {
		ask.Waiting(*state.Holder, left)
	}
	pause := min(left+10*time.Millisecond, time.Second, time.Until(deadline)+time.Millisecond)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// takeOver moves epoch and lease in one swap: a holder that renews late is
// fenced, and no two can take over at once.
func takeOver(ctx context.Context, s store.Store, ask Ask, state *State, view store.View) (*Lease, error) {
	holder := Holder{
		Epoch: state.epoch + 1, Host: ask.Host, PID: ask.PID, Operator: ask.Operator,
		Command: ask.Command, Since: stamped(state.Now), TTL: ask.TTL,
	}
	epoch := encode(keyEpoch, epochValue{holder.Epoch})
	lease := encode(keyLease, holder)
	epoch.Rev, lease.Rev = revision(view, keyEpoch), revision(view, keyLease)
	written, err := s.Swap(ctx, nil, epoch, lease)
	if err != nil {
		return nil, err
	}
	l := &Lease{Holder: holder, Taken: state.Holder, st: s, stop: make(chan struct{})}
	for _, note := range written {
		switch note.Key {
		case keyEpoch:
			l.guard = note
		case keyLease:
			l.Holder.Renewed = note.At
		}
	}
	if state.Stamp != nil {
		l.stampID = state.Stamp.ID
	}
	l.ctx, l.lose = context.WithCancelCause(ctx)
	l.renewing.Add(1)
	go l.renew()
	return l, nil
}

func revision(view store.View, key string) int64 {
	for _, note := range view.Notes {
		if note.Key == key {
			return note.Rev
		}
	}
	return store.Absent
}

// Context ends when the lease is lost, with ErrDisplaced as its cause, or when
// the context that it was acquired with ends.
func (l *Lease) Context() context.Context { return l.ctx }

// Guard must stand for everything that is written under the lease.
func (l *Lease) Guard() []store.Note { return []store.Note{l.guard} }

// sessionPrefix begins the name of every session of every runner on the store.
func sessionPrefix(id string) string { return "stopover/" + id + "/" }

// Session is the name of this lease's sessions in the store's session list.
func (l *Lease) Session() string {
	return sessionPrefix(l.stampID) + strconv.FormatInt(l.Holder.Epoch, 10)
}

// Displaced tells whether a session belongs to a runner of this store that has
// lost its lease to this one or to one before.
func (l *Lease) Displaced(session store.Session) bool {
	rest, ok := strings.CutPrefix(session.Name, sessionPrefix(l.stampID))
	if !ok || session.Own || l.stampID == "" {
		return false
	}
	epoch, err := strconv.ParseInt(rest, 10, 64)
	return err == nil && epoch < l.Holder.Epoch
}

// renew rewrites the lease note while the epoch stands. A store that cannot be
// reached for a while does not end the lease by itself: if nobody took it over
// meanwhile the next renewal is answered, and if somebody did, the guard tells,
// here and in every transaction under the lease.
func (l *Lease) renew() {
	defer l.renewing.Done()
	ticker := time.NewTicker(l.Holder.TTL / 3)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-l.ctx.Done():
			return
		case <-ticker.C:
		}
		if isConflict(l.rewrite()) {
			l.lose(ErrDisplaced)
			return
		}
	}
}

func (l *Lease) rewrite() error {
	ctx, cancel := context.WithTimeout(l.ctx, l.Holder.TTL/3)
	defer cancel()
	_, err := l.st.Swap(ctx, l.Guard(), encode(keyLease, l.Holder))
	return err
}

// Release gives the lease back, so that the next runner need not wait. It may
// be called more than once, and after the lease was lost.
func (l *Lease) Release() {
	l.once.Do(func() {
		close(l.stop)
		l.renewing.Wait()
		// The caller's context may have ended (Ctrl-C): the lease is given back all
		// the same. If it cannot be, it dies by itself.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), 3*time.Second)
		defer cancel()
		_, _ = l.st.Swap(ctx, l.Guard(), store.Note{Key: keyLease, Rev: store.Any})
		l.lose(nil)
	})
}

// Write writes notes under the lease.
func (l *Lease) Write(ctx context.Context, notes ...store.Note) error {
	_, err := l.st.Swap(ctx, l.Guard(), notes...)
	return Lost(err)
}

// Lost turns the loss of a guard into ErrDisplaced and leaves other errors as
// they are.
func Lost(err error) error {
	var conflict *store.ConflictError
	if errors.As(err, &conflict) && conflict.Guard {
		return fmt.Errorf("%w: %w", ErrDisplaced, err)
	}
	return err
}

// Stamp writes the stamp, together with further notes, and uses it for session
// names from now on.
func (l *Lease) Stamp(ctx context.Context, stamp Stamp, more ...store.Note) error {
	stamp.Since = stamped(stamp.Since)
	if err := l.Write(ctx, append(more, encode(keyStamp, stamp))...); err != nil {
		return err
	}
	l.stampID = stamp.ID
	return nil
}

// RouteNote is the note that keeps the target of an upgrade under way; nil: the
// note that takes it away.
func RouteNote(route *Route) store.Note {
	if route == nil {
		return store.Note{Key: keyRoute, Rev: store.Any}
	}
	route.Since = stamped(route.Since)
	return encode(keyRoute, route)
}

// Clear takes away the lease of a holder that is dead, exactly as it was read.
// A live lease is not cleared: that is a *HeldError. It reports whether there
// was one.
func Clear(ctx context.Context, s store.Store) (bool, *Holder, error) {
	view, err := s.Look(ctx, keyEpoch, keyLease)
	if err != nil {
		return false, nil, fmt.Errorf("look at the lease: %w", err)
	}
	state, err := decode(view)
	if err != nil || state.Holder == nil {
		return false, nil, err
	}
	if state.Holder.Left(state.Now) > 0 {
		return false, state.Holder, &HeldError{Holder: *state.Holder, Now: state.Now}
	}
	// The epoch moves too: should the holder only have slept, it is fenced.
	value, err := json.Marshal(epochValue{state.epoch + 1})
	if err != nil {
		return false, state.Holder, err
	}
	_, err = s.Swap(ctx, nil,
		store.Note{Key: keyEpoch, Value: value, Rev: revision(view, keyEpoch)},
		store.Note{Key: keyLease, Rev: revision(view, keyLease)})
	return err == nil, state.Holder, err
}
