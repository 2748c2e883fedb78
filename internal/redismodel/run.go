package redismodel

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Run is writers at work.
type Run struct {
	model   *Model
	ctx     context.Context // ends with Stop
	cancel  context.CancelFunc
	done    sync.WaitGroup
	writers []*writer
	acked   atomic.Int64
	waiting atomic.Int64 // writers that were denied and wait for a side

	mu    sync.Mutex
	sides []Side
	more  chan struct{} // closed when there is a side more
}

// Start lets the writers write to a side, from where the model stands, until
// Stop.
func (m *Model) Start(on Side) (*Run, error) {
	if err := m.claim(); err != nil {
		return nil, err
	}
	m.runs++
	r := &Run{model: m, sides: []Side{on}, more: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	hot := len(m.keys)
	if m.options.Hot > 0 {
		hot = min(hot, m.options.Hot*perTenant)
	}
	for i := range m.options.Writers {
		w := &writer{run: r, link: newLink(on), chance: m.chance(m.runs<<16 + uint64(i) + 1), report: Written{Chance: m.options.Seed}}
		for k := range m.keys[:hot] {
			if m.keys[k].tenant%m.options.Writers == i {
				w.keys = append(w.keys, &m.keys[k])
			}
		}
		if len(w.keys) > 0 {
			r.writers = append(r.writers, w)
		}
	}
	for _, w := range r.writers {
		r.done.Go(w.work)
	}
	return r, nil
}

// GoOn names the side for the writers that are denied, now or later: the new
// release begins where the old one was shut out. A writer that is denied there
// too waits for one more GoOn.
func (r *Run) GoOn(on Side) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sides = append(r.sides, on)
	close(r.more)
	r.more = make(chan struct{})
}

// side gives the i-th side, or what to wait for until there is one.
func (r *Run) side(i int) (Side, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i < len(r.sides) {
		return r.sides[i], nil
	}
	return Side{}, r.more
}

// Stop ends the writers after the writes that they are at.
func (r *Run) Stop() Written {
	r.cancel()
	r.done.Wait()
	total := Written{Chance: r.model.options.Seed}
	for _, w := range r.writers {
		total.add(w.report)
	}
	r.model.release()
	return total
}

// Acknowledged is the number of writes so far.
func (r *Run) Acknowledged() int { return int(r.acked.Load()) }

// Await waits until so many more writes were acknowledged.
func (r *Run) Await(ctx context.Context, writes int) error {
	want := r.acked.Load() + int64(writes)
	return r.until(ctx, func() bool { return r.acked.Load() >= want })
}

// AwaitDenied waits until every writer has been denied and waits for GoOn.
func (r *Run) AwaitDenied(ctx context.Context) error {
	return r.until(ctx, func() bool { return r.waiting.Load() == int64(len(r.writers)) })
}

func (r *Run) until(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-r.ctx.Done():
			return errors.New("the run was stopped")
		case <-ctx.Done():
			return fmt.Errorf("%w; %d writes were acknowledged, %d of %d writers are denied",
				ctx.Err(), r.acked.Load(), r.waiting.Load(), len(r.writers))
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
