package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover"
)

// Outpost's tool keeps others away by a key, which it neither renews nor gives
// away safely. It is held here while anything is changed, so that no version of
// that tool begins; among runs of this program the lease of Stopover decides.
const (
	lockLife  = 15 * time.Second // of a lock that nobody renews
	lockPulse = 3 * time.Second
	lockWait  = 5 * time.Minute // for another run of this program
	ours      = "stopover "     // begins what this program writes into it
)

// lockKeys are the names that the lock had in versions of Outpost.
func (s settings) lockKeys() []string {
	keys := []string{"outpost:migration:lock", ".outpost:migration:lock", s.below(".outpost:migration_lock")}
	if s.deployment != "" {
		keys = append(keys, s.below("outpost:migration:lock"))
	}
	return keys
}

// holder is who holds a lock.
type holder struct {
	key, value string
	left       time.Duration // of its life; negative: it never ends
}

func (h holder) String() string {
	text := fmt.Sprintf("%s is held (%s)", h.key, h.value)
	if h.left >= 0 {
		text += fmt.Sprintf(", for %s at most", h.left.Round(time.Second))
	}
	return text
}

// heldError says that Outpost's tool may be at work.
type heldError struct{ holder }

func (e heldError) Error() string {
	return fmt.Sprintf("%s\n  A migration may be running: wait for its end. If you are certain that none is, its lock was left behind.\nnext: %s unlock --yes",
		e.holder, program)
}

// clear deletes the lock if it is still the one that was shown.
func (h holder) clear(ctx context.Context, client goredis.UniversalClient) error {
	return deleteIf.Run(ctx, client, []string{h.key}, h.value).Err()
}

// holders lists the locks that are held.
func (m *migrator) holders(ctx context.Context) ([]holder, error) {
	var held []holder
	for _, key := range m.settings.lockKeys() {
		value, err := m.client.Get(ctx, key).Result()
		if errors.Is(err, goredis.Nil) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", key, err)
		}
		left, err := m.client.PTTL(ctx, key).Result()
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", key, err)
		}
		held = append(held, holder{key, value, left})
	}
	return held, nil
}

// lock is held until it is released. Its context ends if it is lost.
type lock struct {
	m     *migrator
	value string
	ctx   context.Context
	stop  context.CancelCauseFunc
	ended chan struct{}
}

var (
	renewIf = goredis.NewScript(`return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0`)
	// An Outpost lock that somebody typed anew meanwhile is not deleted.
	deleteIf = goredis.NewScript(`return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0`)
)

// lock takes all names of the lock. One that Outpost's tool holds is refused,
// one of another run of this program is waited for: that ends or is renewed.
// A process that dies here leaves locks that end by themselves.
func (m *migrator) lock(ctx context.Context) (*lock, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	l := &lock{m: m, value: fmt.Sprintf("%son %s, pid %d, since %s", ours, host, os.Getpid(), time.Now().UTC().Format(time.RFC3339Nano)), ended: make(chan struct{})}
	l.ctx, l.stop = context.WithCancelCause(ctx)
	for i, key := range m.settings.lockKeys() {
		err := l.take(key)
		if err != nil && i > 0 {
			err = errors.Join(err, l.drop())
		}
		if err != nil {
			l.stop(nil)
			return nil, err
		}
	}
	go l.keep()
	return l, nil
}

// take takes one of the names.
func (l *lock) take(key string) error {
	told := false
	for deadline := time.Now().Add(lockWait); ; {
		took, err := l.m.client.SetNX(l.ctx, key, l.value, lockLife).Result()
		if err != nil {
			return fmt.Errorf("take %s: %w", key, err)
		}
		if took {
			return nil
		}
		held, err := l.m.holders(l.ctx)
		if err != nil {
			return err
		}
		for _, h := range held {
			if h.key == key && (!strings.HasPrefix(h.value, ours) || time.Now().After(deadline)) {
				return heldError{h}
			}
			if h.key == key && !told {
				told = true
				fmt.Fprintf(l.m.t.Err, "waiting: %s\n", h)
			}
		}
		select {
		case <-l.ctx.Done():
			return l.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// keep renews until the lock is released, and ends its context if it cannot.
func (l *lock) keep() {
	defer close(l.ended)
	last := time.Now()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(lockPulse):
		}
		for _, key := range l.m.settings.lockKeys() {
			held, err := renewIf.Run(l.ctx, l.m.client, []string{key}, l.value, lockLife.Milliseconds()).Int()
			switch {
			case err == nil && held == 0:
				l.stop(fmt.Errorf("%s is not held any more: somebody has cleared it", key))
			case err == nil:
				last = time.Now()
			case time.Since(last) > lockLife-lockPulse:
				l.stop(fmt.Errorf("renew %s: %w", key, err))
			}
		}
	}
}

// release gives the lock up. The error is why it was lost before.
func (l *lock) release() error {
	lost := context.Cause(l.ctx)
	l.stop(nil)
	<-l.ended
	if errors.Is(lost, context.Canceled) { // an interrupt, of which Stopover has told
		lost = nil
	}
	return errors.Join(lost, l.drop())
}

// drop deletes what was taken.
func (l *lock) drop() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), 5*time.Second)
	defer cancel()
	var all []error
	for _, key := range l.m.settings.lockKeys() {
		all = append(all, holder{key: key, value: l.value}.clear(ctx, l.m.client))
	}
	return errors.Join(all...)
}

// state tells how the store stands: "unstamped" is one that nobody has taken
// over, "empty" one without a key.
func (m *migrator) state(ctx context.Context) (string, error) {
	app, err := stopover.Open(m.config())
	if err != nil {
		return "", err
	}
	defer app.Close()
	status, err := app.Status(ctx)
	if err != nil {
		return "", err
	}
	shown := status.Stores[0]
	if shown.Problem != nil {
		return "", errors.New(shown.Problem.Message)
	}
	return string(shown.State), nil
}
