package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/tracking"
	"github.com/stopover-dev/stopover/store"
)

// watch is one period in which no change of a source is missed: from when every
// master tells of changes until the first sign that one may have been lost. It
// then ends, and another one looks at everything again.
//
// The invariant, from the first event to the end: if a target is not what its
// source is, then the source was not yet reached by the pass over all keys, or its
// event is on its way, or it is dirty, or it is in a batch that is yet to be read.
type watch struct {
	store  *Store
	layout Layout
	work   *Sweep   // with the guards of the holder
	nodes  []string // addresses of the masters, in order
	sum    string   // of the masters, see masters
	conns  []*tracking.Connection
	dirty  *dirty

	ctx     context.Context // ends with the watch
	cancel  context.CancelCauseFunc
	workers sync.WaitGroup
	rows    atomic.Int64 // targets written, until asked

	// The pass over all keys. It is made by one caller at a time.
	cursor []byte
	passed bool

	mu      sync.Mutex
	deaf    bool                // events are no longer carried over
	late    map[string]struct{} // sources whose events came when deaf
	watched map[string]bool     // sources somebody wants to know about: was there an event
}

const (
	mostDirty   = 200_000               // keys that wait to be looked at: about 30 MB
	mostPassed  = 4_000                 // of the pass among them, so that events do not wait behind it
	beat        = 50 * time.Millisecond // between two looks at the connections
	looksAtMap  = 20                    // beats between two looks at who owns which slot
	silentLimit = 10 * time.Second      // for a master to answer
)

// begin connects to all masters and has them tell of changes. The guards are
// raised first: whatever was sent before and is still on its way is not done any
// more.
func (m *mirror) begin(ctx context.Context) (*watch, error) {
	s := m.store
	nodes, sum, err := s.masters(ctx)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	number := s.fences.next(highest(m.task.Guard).Rev)
	if err := s.raise(ctx, number, m.task.Guard); err != nil {
		return nil, err
	}
	w := &watch{
		store: s, layout: m.layout, nodes: nodes, sum: sum, dirty: newDirty(s.lanes(), mostDirty),
		work: &Sweep{Reader: Reader{store: s}, task: m.task, guard: number},
	}
	w.ctx, w.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	for _, addr := range nodes {
		conn, err := w.listen(ctx, addr)
		if err != nil {
			return nil, errors.Join(err, w.end())
		}
		w.conns = append(w.conns, conn)
	}
	// A master that took over slots in between would not be listened to.
	if err := w.unmoved(ctx); err != nil {
		return nil, errors.Join(err, w.end())
	}
	for lane := range w.dirty.lanes {
		w.workers.Go(func() { w.follow(lane) })
	}
	w.workers.Go(w.beat)
	return w, nil
}

// listen opens the connection to one master.
func (w *watch) listen(ctx context.Context, addr string) (*tracking.Connection, error) {
	s := w.store
	limited, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	settings := s.net.settings
	settings.Addr = addr
	settings.Network = "tcp"
	conn, err := goredis.NewDialer(&settings)(limited, settings.Network, addr)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	prefixes := s.fulls(w.layout.Sources())
	c, err := tracking.Start(limited, conn, tracking.Options{
		User: settings.Username, Password: settings.Password, Name: "stopover-mirror", Prefixes: prefixes,
		Changed: w.changed, Emptied: func() { w.fail(errEmptied) },
	})
	if refused, ok := errors.AsType[*tracking.Refusal](err); ok {
		return nil, &store.RightsError{Missing: refused.Command + ", without which no writer can be followed", Err: s.scrubbed(err)}
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return c, nil
}

var errTooMany = fmt.Errorf("more than %d keys were changed before they could be copied", mostDirty)

var errEmptied = errors.New("a database was emptied (FLUSHDB or FLUSHALL)")

// changed takes events. It is called by the goroutines that read, and must be quick.
func (w *watch) changed(keys []string) {
	for _, full := range keys {
		key, below := strings.CutPrefix(full, w.store.prefix)
		if !below || w.store.own(full) {
			continue
		}
		to, is, err := w.layout.Target(key)
		if err != nil {
			w.fail(err)
			return
		}
		if !is {
			continue
		}
		if !w.heard(key) && !w.dirty.put(pair{key, to}) {
			w.fail(errTooMany)
			return
		}
	}
}

// heard notes an event for those who asked, and tells whether it is too late to
// carry it over.
func (w *watch) heard(key string) (late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, asked := w.watched[key]; asked {
		w.watched[key] = true
	}
	if w.deaf && len(w.late) < mostDirty {
		w.late[key] = struct{}{}
	}
	return w.deaf
}

// fail ends the watch; the first reason counts. It does not wait.
func (w *watch) fail(why error) {
	w.cancel(why)
	w.dirty.end()
}

// err says why the watch has ended; nil while nothing was missed.
func (w *watch) err() error { return context.Cause(w.ctx) }

// end waits until nothing of the watch is under way.
func (w *watch) end() error {
	w.fail(errEnded)
	for _, c := range w.conns {
		_ = c.Close() // it is given up either way
	}
	w.workers.Wait()
	return nil
}

var errEnded = errors.New("nobody follows the writers any more")

// follow is a worker: it makes targets what their sources are.
func (w *watch) follow(lane int) {
	for {
		pairs := w.dirty.take(lane, batchSize)
		if pairs == nil {
			return
		}
		if err := w.copy(pairs); err != nil {
			// Some of it may still arrive. The next watch raises the guards, so that
			// it does not, and then looks at everything again.
			w.fail(err)
			return
		}
		w.dirty.did(lane, len(pairs))
	}
}

func (w *watch) copy(pairs []pair) error {
	results, err := w.work.copyBatch(w.ctx, pairs, true)
	if err != nil {
		return err
	}
	for i, r := range results {
		switch r.became {
		case copied:
			w.rows.Add(1)
		case absent:
		case failed:
			return w.work.notCopied(pairs[i], r.fault)
		default:
			return fmt.Errorf("%s: nothing was said of the key %s", w.store.place, pairs[i].from)
		}
	}
	return nil
}

// beat looks again and again whether the watch still sees everything.
func (w *watch) beat() {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
		}
		err := w.barrier(w.ctx)
		if err == nil && n%looksAtMap == 0 {
			err = w.unmoved(w.ctx)
		}
		if err != nil {
			w.fail(err)
			return
		}
	}
}

// barrier returns when every change was handed over that had been acknowledged
// before the call. A master that was demoted keeps the connection, so its role is
// looked at.
func (w *watch) barrier(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, silentLimit)
	defer cancel()
	faults := make([]error, len(w.conns))
	var asked sync.WaitGroup
	for i, c := range w.conns {
		asked.Go(func() {
			role, err := c.Role(ctx)
			if err == nil && role != "master" {
				err = fmt.Errorf("%s is a master no more", w.nodes[i])
			}
			faults[i] = err
		})
	}
	asked.Wait()
	return errors.Join(faults...)
}

// unmoved tells whether the masters are still the processes that are listened to,
// with the same slots.
func (w *watch) unmoved(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, silentLimit)
	defer cancel()
	nodes, sum, err := w.store.masters(ctx)
	if err != nil {
		return err
	}
	if sum != w.sum || !slices.Equal(nodes, w.nodes) {
		return errMoved
	}
	return nil
}

var errMoved = errors.New("masters were replaced or restarted, or slots have moved")
