package redis

import (
	"context"
	"hash/maphash"
	"sync"
)

// dirty is the pairs that have to be looked at (again), in the order in which they
// came. Each belongs, by its source, to one lane, and each lane to one worker, so
// that none is in two batches at once. A pair is taken out before it is read: a
// change after the reading puts it in once more.
type dirty struct {
	seed  maphash.Seed
	bound int // most that wait

	mu      sync.Mutex
	changed sync.Cond
	lanes   []lane
	waiting int
	ended   bool
}

// lane counts what came and what was done with, so that one can wait for
// everything that came before a moment.
type lane struct {
	queue     []pair
	in        map[string]struct{} // the sources in queue
	put, done uint64
}

func newDirty(lanes, bound int) *dirty {
	d := &dirty{seed: maphash.MakeSeed(), bound: bound, lanes: make([]lane, lanes)}
	d.changed.L = &d.mu
	for i := range d.lanes {
		d.lanes[i].in = map[string]struct{}{}
	}
	return d
}

// put says that a pair has to be looked at. It never waits; false says that more
// wait than are borne with.
func (d *dirty) put(p pair) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &d.lanes[maphash.String(d.seed, p.from)%uint64(len(d.lanes))]
	if _, there := l.in[p.from]; there {
		return true // it is not read yet
	}
	if d.waiting >= d.bound {
		return false
	}
	l.in[p.from] = struct{}{}
	l.queue = append(l.queue, p)
	l.put++
	d.waiting++
	if len(l.queue) == 1 { // else its worker is not waiting
		d.changed.Broadcast()
	}
	return true
}

// take waits for pairs of a lane, and gives up to n in the order in which they
// came; none at the end.
func (d *dirty) take(lane, n int) []pair {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &d.lanes[lane]
	for len(l.queue) == 0 && !d.ended {
		d.changed.Wait()
	}
	if d.ended {
		return nil
	}
	n = min(n, len(l.queue))
	taken := make([]pair, n)
	copy(taken, l.queue)
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil // or what was taken would never be given back
	}
	for _, p := range taken {
		delete(l.in, p.from)
	}
	d.waiting -= n
	return taken
}

// did says that n pairs which were taken are done with.
func (d *dirty) did(lane, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lanes[lane].done += uint64(n)
	d.changed.Broadcast()
}

// room waits until fewer than n pairs wait. Only those who look for more work wait
// for it, never those who hear of changes.
func (d *dirty) room(ctx context.Context, n int) error {
	return d.until(ctx, func() bool { return d.waiting < n })
}

// settled waits until everything is done with that has come before the call. Pairs
// that come later do not matter, so it ends also where they never cease.
func (d *dirty) settled(ctx context.Context) error {
	d.mu.Lock()
	marks := make([]uint64, len(d.lanes))
	for i := range d.lanes {
		marks[i] = d.lanes[i].put
	}
	d.mu.Unlock()
	return d.until(ctx, func() bool {
		for i := range d.lanes {
			if d.lanes[i].done < marks[i] {
				return false
			}
		}
		return true
	})
}

// until waits for a condition, for the end of the context, or for the end of d,
// which is no error.
func (d *dirty) until(ctx context.Context, holds func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.changed.Broadcast()
	})
	defer stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for !holds() && !d.ended && ctx.Err() == nil {
		d.changed.Wait()
	}
	return ctx.Err()
}

// end lets go all who wait.
func (d *dirty) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	d.changed.Broadcast()
}
