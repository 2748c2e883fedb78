package stopover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// renew rewrites the lease in one store three times in its life. The lease is
// lost when somebody else took its place, when it could not be renewed for all
// of its life, or when it had run out and the floors that were raised meanwhile
// shut the release out.
func (i *Instance) renew(ctx context.Context, t *tenure) {
	wait := i.ask.TTL / 3
	for {
		timer := time.NewTimer(wait)
		select {
		case <-i.stop:
			timer.Stop()
			return
		case <-i.lost:
			timer.Stop()
			return
		case <-timer.C:
		}
		i.work.Lock()
		err := i.renewOnce(ctx, t)
		i.work.Unlock()
		wait = i.ask.TTL / 3
		var ended *LostError
		switch {
		case errors.As(err, &ended):
			i.lose(ended)
			return
		case err != nil && time.Since(t.sent) >= i.ask.TTL:
			i.lose(&LostError{Store: t.name, Because: fmt.Sprintf("it could not be renewed for %s", i.ask.TTL), Err: err})
			return
		case err != nil:
			wait = i.ask.TTL / 12
		}
	}
}

// LostError says why an instance is not reckoned with any more.
type LostError struct {
	Store   string
	Because string
	Err     error
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("the lease in %s is lost: %s", e.Store, e.Because)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *LostError) Unwrap() error { return e.Err }

func (i *Instance) renewOnce(ctx context.Context, t *tenure) error {
	ctx, cancel := context.WithTimeout(ctx, max(i.ask.TTL/3, time.Second/2))
	defer cancel()
	sent := time.Now()
	written, err := t.st.Swap(ctx, nil, t.note.Note(t.rev))
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		return i.recognise(ctx, t)
	}
	if err != nil {
		return err
	}
	before := t.seen
	t.rev, t.seen, t.sent = written[0].Rev, written[0].At, sent
	if t.seen.Sub(before) < i.ask.TTL {
		return nil
	}
	// It had run out on the store's clock: whoever raised a floor meanwhile did
	// not reckon with it. It is written now, so the floors are asked as in Join.
	if err := i.admit(ctx); err != nil {
		i.withdraw(ctx)
		return &LostError{Store: t.name, Because: "it had run out, and the release may not start any more", Err: err}
	}
	return nil
}

// recognise looks at a lease that is not as it was written last. An earlier
// renewal of which no answer came may have written it.
func (i *Instance) recognise(ctx context.Context, t *tenure) error {
	s := i.app.lookAt(ctx, t.place)
	if s.err != nil {
		return s.err
	}
	for _, other := range s.books.Instances {
		switch {
		case other.Key() != t.note.Key():
		case other.Token == i.token:
			t.rev = other.Rev
			return i.renewOnce(ctx, t)
		default:
			return &LostError{Store: t.name, Because: fmt.Sprintf("%s (pid %d) took its name over", other.Host, other.PID)}
		}
	}
	return &LostError{Store: t.name, Because: "it was taken away"}
}

// lose tells the application, once.
func (i *Instance) lose(err *LostError) {
	i.mu.Lock()
	first := i.err == nil
	if first {
		i.err = err
		close(i.lost)
	}
	i.mu.Unlock()
	if first && i.ask.Lost != nil {
		go i.ask.Lost(err)
	}
}
