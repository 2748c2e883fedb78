package stopovertest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/store"
)

// errDied is what every call gets from a store whose process is dead.
var errDied = errors.New("stopovertest: the process died here")

// Kill is To by a process that dies on the way, and tells whether it did: at a
// point from 1 up, of which each write of work or books has two, just before it
// and just after it, when its answer is not known yet. What the dead process held
// is free at once, as it is for others when its lease is over. So this plays all
// deaths of a migration:
//
//	for point, died := 1, true; died; point++ {
//		k.Reset()
//		k.To("main:0041_orders")
//		k.Exec("main", "INSERT ...")
//		died = k.Kill("", point)
//		k.To("") // the next run
//		... // the rows are what they should be
//	}
//
// A function of a migration in Go that works in a transaction with its record
// leaves nothing when it dies inside. One that does not, such as redis.Stretch,
// has its deaths between its calls played only where it returns.
func (k *Kit) Kill(target string, point int) (died bool) {
	k.t.Helper()
	life := &life{left: point}
	cfg := k.cfg
	cfg.Stores = map[string]store.Store{}
	for name, s := range k.scratch {
		cfg.Stores[name] = &mortal{Store: s, life: life}
	}
	app, err := stopover.Open(cfg)
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = app.Close() }() // the stores are not its own
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, err = app.Apply(ctx, stopover.ApplyOptions{Target: stopover.Target{To: target}})
	if !life.over() {
		if err != nil {
			k.t.Fatalf("take the stores to %s: %v", target, err)
		}
		return false
	}
	k.do("free what a dead process held", func(ctx context.Context) error {
		for name, s := range k.scratch {
			if _, err := s.Swap(ctx, nil, store.Note{Key: "lease", Rev: store.Any}); err != nil {
				return fmt.Errorf("store %s: %w", name, err)
			}
		}
		return nil
	})
	return true
}

// life is that of one process, over all of its stores.
type life struct {
	mu   sync.Mutex
	left int // points until its death; 0: it is dead
}

// passes lets a process go by a point; false: it is dead, or dies here.
func (l *life) passes() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left > 0 {
		l.left--
	}
	return l.left > 0
}

func (l *life) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left == 0
}

// mortal is a store as a process sees it that dies.
type mortal struct {
	store.Store
	life *life
}

// Unwrap lets the abilities of the store be found. Those that write are below.
func (m *mortal) Unwrap() store.Store { return m.Store }

func (m *mortal) Survey(ctx context.Context) (store.Survey, error) {
	if m.life.over() {
		return store.Survey{}, errDied
	}
	return m.Store.Survey(ctx)
}

func (m *mortal) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	if m.life.over() {
		return store.View{}, errDied
	}
	return m.Store.Look(ctx, prefixes...)
}

func (m *mortal) Prepare(ctx context.Context) error {
	if !m.life.passes() {
		return errDied
	}
	if err := m.Store.Prepare(ctx); err != nil || m.life.passes() {
		return err
	}
	return errDied
}

func (m *mortal) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	if !m.life.passes() {
		return nil, errDied
	}
	written, err := m.Store.Swap(ctx, guard, set...)
	if err != nil || m.life.passes() {
		return written, err
	}
	return nil, errDied
}

func (m *mortal) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	if !m.life.passes() {
		return store.Progress{}, errDied
	}
	progress, err := m.Store.Do(ctx, task)
	if err != nil || m.life.passes() {
		return progress, err
	}
	return store.Progress{}, errDied
}

// DoAll performs tasks one by one, so that there is a point between any two.
func (m *mortal) DoAll(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	var done []store.Progress
	for _, task := range tasks {
		progress, err := m.Do(ctx, task)
		if err != nil {
			return done, err
		}
		done = append(done, progress)
	}
	return done, nil
}
