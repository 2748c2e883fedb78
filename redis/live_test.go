package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

var followed = Copy{Layout: renamed, Live: true}

// performed does actions as a run does: each is prepared, then done to its end, all
// under one guard.
func (f fixture) performed(guard store.Note, action store.Action) (store.Progress, error) {
	f.t.Helper()
	ctx := f.t.Context()
	task := store.Task{Action: action, Size: 500, Sample: 20, Guard: []store.Note{guard}, Record: recorded("done")}
	if err := f.Store.Follow(ctx, task); err != nil {
		return store.Progress{}, err
	}
	if action.Shape() == store.Query {
		task.Guard, task.Record = nil, nil
	}
	for {
		p, err := f.Store.Do(ctx, task)
		if gone := (*store.UnreachableError)(nil); errors.As(err, &gone) && !gone.Denied {
			f.t.Logf("again: %v", err)
			continue
		}
		if err != nil || p.Done {
			return p, err
		}
		task.Cursor = p.Cursor
	}
}

// counters write to keys of the old form, each key by one goroutine, until they are
// told to stop; they know what was acknowledged.
type counters struct {
	f     fixture
	stop  chan struct{}
	group sync.WaitGroup
	made  []atomic.Int64 // by key
	all   atomic.Int64   // operations
}

func (f fixture) count(keys int) *counters {
	c := &counters{f: f, stop: make(chan struct{}), made: make([]atomic.Int64, keys)}
	const writers = 4
	for n := range writers {
		c.group.Go(func() {
			for i := n; ; i = (i + writers) % keys {
				select {
				case <-c.stop:
					return
				default:
				}
				c.write(i)
			}
		})
	}
	return c
}

// more waits for n operations more.
func (c *counters) more(n int64) {
	c.f.t.Helper()
	for until := c.all.Load() + n; c.all.Load() < until; time.Sleep(time.Millisecond) {
		if c.f.t.Failed() || c.f.t.Context().Err() != nil {
			c.f.t.FailNow()
		}
	}
}

func (c *counters) write(i int) {
	defer c.all.Add(1)
	ctx := context.Background()
	key := c.f.Store.full(fmt.Sprintf("old:%d", i))
	if c.made[i].Load() > 0 && i%7 == 3 {
		if err := c.f.client.Del(ctx, key).Err(); err != nil {
			c.f.t.Error(err)
		}
		c.made[i].Store(0)
		return
	}
	if err := c.f.client.HIncrBy(ctx, key, "n", 1).Err(); err != nil {
		c.f.t.Error(err)
	}
	c.made[i].Add(1)
}

func (c *counters) end() {
	close(c.stop)
	c.group.Wait()
}

// check compares the targets with what was acknowledged.
func (c *counters) check() {
	c.f.t.Helper()
	wrong := 0
	for i := range c.made {
		got, _ := c.f.client.HGet(context.Background(), c.f.Store.full(fmt.Sprintf("new:%d", i)), "n").Int64()
		if want := c.made[i].Load(); got != want {
			if wrong++; wrong < 5 {
				c.f.t.Errorf("new:%d holds %d, and %d were acknowledged", i, got, want)
			}
		}
	}
	if wrong > 0 {
		c.f.t.Errorf("%d of %d are wrong", wrong, len(c.made))
	}
}

func TestALiveCopyLosesNothing(t *testing.T) {
	everyServer(t, losesNothing)
	t.Run("TLS with a password", func(t *testing.T) {
		t.Parallel()
		losesNothing(t, prepared(t, testserver.RedisTLS(t)))
	})
}

func losesNothing(t *testing.T, f fixture) {
	guard := f.note("epoch", store.Any, `1`)
	for i := range 3000 {
		f.on("HSET", fmt.Sprintf("old:%d", i), "n", 0)
	}
	writers := f.count(3000)
	defer func() {
		select {
		case <-writers.stop:
		default:
			writers.end()
		}
	}()
	if _, err := f.performed(guard, followed); err != nil {
		t.Fatal(err)
	}
	if p, err := f.performed(guard, Compare{Layout: renamed, Live: true}); err != nil || p.Rows > 0 {
		t.Fatalf("%v, %q", err, p.Sample)
	}
	writers.more(2000)
	writers.end()
	if _, err := f.performed(guard, Cutover{Layout: renamed}); err != nil {
		t.Fatal(err)
	}
	writers.check()
	f.on("HINCRBY", "new:5", "n", 1) // the new release is at work
	if p, err := f.performed(guard, Compare{Layout: renamed, Live: true}); err != nil || p.Rows > 0 {
		t.Fatalf("%v, %q", err, p.Sample)
	}
	if _, err := f.performed(guard, followed); !errors.As(err, new(*CutOverError)) {
		t.Errorf("copied again: %v", err)
	}
	if _, err := f.performed(guard, DeleteSources{Layout: renamed, Live: true}); err != nil {
		t.Fatal(err)
	}
	if left := f.below("old:*"); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
}

// on performs a command of the application on a key without the prefix.
func (f fixture) on(command, key string, args ...any) any {
	f.t.Helper()
	return f.raw(append([]any{command, f.Store.full(key)}, args...)...)
}
