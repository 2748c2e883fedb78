package redis

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

const markLua = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0`

// mark sets keys that hold "old" to "new", which gives the same when repeated.
func mark() store.Action {
	return Stretch("mark keys", func(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
		keys, next, done, err := w.Scan(ctx, "k:*", cursor, size)
		if err != nil {
			return nil, false, 0, err
		}
		answers, err := w.Each(ctx, markLua, keys, "old", "new")
		var rows int64
		for _, answer := range answers {
			rows += answer.(int64)
		}
		return next, done, rows, err
	})
}

func (f fixture) fill(n int) []string {
	f.t.Helper()
	pipe := f.client.Pipeline()
	keys := numbered(f.Store.prefix+"k:%d", n)
	for _, key := range keys {
		pipe.Set(context.Background(), key, "old", 0)
	}
	if _, err := pipe.Exec(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	return keys
}

// values counts what the keys hold.
func (f fixture) values(keys []string) map[string]int {
	f.t.Helper()
	pipe := f.client.Pipeline()
	answers := make([]*goredis.StringCmd, len(keys))
	for i, key := range keys {
		answers[i] = pipe.Get(context.Background(), key)
	}
	_, _ = pipe.Exec(context.Background())
	counts := map[string]int{}
	for _, a := range answers {
		counts[a.Val()]++
	}
	return counts
}

func TestASweepReachesEveryKeyOfEveryMaster(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		neighbour := f.Store.prefix[:len(f.Store.prefix)-1] + "x:k:1"
		f.raw("SET", neighbour, "old")
		f.raw("SET", "k:1", "old")
		keys := f.fill(3000)
		guard := f.note("epoch", store.Absent, `1`)
		var rows int64
		var cursor []byte
		handle, stretches := f.Store, 0
		for done := false; !done; stretches++ {
			p, err := handle.Do(t.Context(), store.Task{Action: mark(), Cursor: cursor, Size: 200, Guard: []store.Note{guard}, Record: recorded(fmt.Sprint("at/", stretches))})
			if err != nil {
				t.Fatal(err)
			}
			rows, cursor, done = rows+p.Rows, p.Cursor, p.Done
			if stretches == 2 {
				handle = f.another() // cursors outlive the handle
			}
		}
		if rows != 3000 || stretches < 5 {
			t.Errorf("%d rows in %d stretches", rows, stretches)
		}
		if counts := f.values(keys); counts["new"] != 3000 {
			t.Errorf("keys hold %v", counts)
		}
		if f.raw("GET", neighbour) != "old" || f.raw("GET", "k:1") != "old" {
			t.Error("a key that is not below the prefix was changed")
		}
		if !f.has("at/4") {
			t.Error("stretches were not recorded")
		}
	})
}

// TestALateSweepIsFenced lets a holder stop between the scan and the work,
// another take over and begin its own sweep, which has touched no key yet, and
// the first wake up.
func TestALateSweepIsFenced(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		keys := f.fill(500)
		old := f.note("epoch", store.Absent, `1`)
		asleep, awake := make(chan struct{}), make(chan struct{})
		late := Stretch("late", func(ctx context.Context, w *Sweep, _ []byte, size int) ([]byte, bool, int64, error) {
			close(asleep)
			<-awake
			done := 0
			for _, key := range numbered("k:%d", 500) {
				if _, err := w.Each(ctx, `redis.call('SET', KEYS[1], 'late') return 1`, []string{key}); err == nil {
					done++
				} else if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard || conflict.Key != "epoch" {
					t.Errorf("error %v, want a lost guard", err)
				}
			}
			return nil, true, int64(done), nil
		})
		ended := make(chan error)
		go func() {
			p, err := f.another().Do(t.Context(), store.Task{Action: late, Size: 10, Guard: []store.Note{old}})
			if p.Rows > 0 {
				t.Errorf("%d keys were changed late", p.Rows)
			}
			ended <- err
		}()
		<-asleep
		now := f.note("epoch", old.Rev, `2`)
		first := Stretch("first", func(context.Context, *Sweep, []byte, int) ([]byte, bool, int64, error) { return nil, true, 0, nil })
		if _, err := f.Store.Do(t.Context(), store.Task{Action: first, Size: 1, Guard: []store.Note{now}}); err != nil {
			t.Fatal(err)
		}
		close(awake)
		if conflict, ok := errors.AsType[*store.ConflictError](<-ended); !ok || !conflict.Guard {
			t.Error("the late sweep was recorded")
		}
		if counts := f.values(keys); counts["old"] != 500 {
			t.Errorf("keys hold %v", counts)
		}
	})
}

func TestAFailingKeyOfASweep(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("RPUSH", f.Store.full("k:odd"), "x")
		_, err := f.run(Stretch("mark one", func(ctx context.Context, w *Sweep, _ []byte, _ int) ([]byte, bool, int64, error) {
			_, err := w.Each(ctx, markLua, []string{"k:1", "k:odd", "k:2"}, "old", "new")
			return nil, true, 0, err
		}))
		failed := failure(t, err)
		if failed.Code != "WRONGTYPE" || !strings.Contains(err.Error(), "k:odd") || f.has("done") {
			t.Errorf("%v", err)
		}
		_, err = f.run(Stretch("other key", func(ctx context.Context, w *Sweep, _ []byte, _ int) ([]byte, bool, int64, error) {
			_, err := w.Each(ctx, `redis.call('SET', KEYS[1] .. 'x', '1')`, []string{"k:1"})
			return nil, true, 0, err
		}))
		wantText(t, err, "not declared")
	})
}

// TestAScanBeginsAgainAfterARestart checks that a cursor of another process is
// not used: another process has its keys in another order.
func TestAScanBeginsAgainAfterARestart(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	f.fill(300)
	sweep := &Sweep{Reader: Reader{store: f.Store}}
	first, next, done, err := sweep.Scan(t.Context(), "k:*", nil, 100)
	if err != nil || done || len(first) < 100 {
		t.Fatalf("%d keys, done %t, %v", len(first), done, err)
	}
	server.Restart(t)
	f.fill(300)
	seen := map[string]bool{}
	for !done {
		var keys []string
		if keys, next, done, err = sweep.Scan(t.Context(), "k:*", next, 100); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			seen[key] = true
		}
	}
	if len(seen) != 300 {
		t.Errorf("%d keys were seen", len(seen))
	}
}

func TestGuardsOfSlots(t *testing.T) {
	for _, prefix := range []string{"shop:", "a{b:", "x{}y:", "}", "{"} {
		k := newKeyspace(prefix)
		keys := k.inEverySlot("guard")
		for s, key := range keys {
			if slot(key) != s || !k.own(key) {
				t.Fatalf("prefix %q: the guard %q of slot %d is in slot %d", prefix, key, s, slot(key))
			}
		}
	}
}

func TestOfTwoPrefixesNoneSeesTheOther(t *testing.T) {
	prefixes := []string{"a", "a*", "a?", "[ab]", `a\`, "a\\*", "b:", "{c}:", "d{", "e}", "f{}", "*"}
	for name, servers := range map[string][]*testserver.RedisServer{"standalone": {testserver.OwnRedis(t)}, "cluster": testserver.OwnRedisCluster(t)} {
		var stores []*Store
		client := clusterOr(servers)
		defer client.Close()
		for i, prefix := range prefixes {
			s := open(t, settingsFor(servers, prefix))
			stores = append(stores, s)
			if err := s.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			note := store.Note{Key: "own", Rev: store.Absent, Value: fmt.Append(nil, i)}
			if _, err := s.Swap(t.Context(), nil, note); err != nil {
				t.Fatalf("%s, prefix %q: %v", name, prefix, err)
			}
			if err := client.Set(t.Context(), prefix+"-key", i, 0).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for i, s := range stores {
			view, err := s.Look(t.Context())
			if err != nil || len(view.Notes) != 1 || string(view.Notes[0].Value) != fmt.Sprint(i) {
				t.Errorf("%s, prefix %q: notes %v, %v", name, prefixes[i], view.Notes, err)
			}
			reader := &Reader{store: s}
			keys, _, done, err := reader.Scan(t.Context(), "-key", nil, 1000)
			sort.Strings(keys)
			if err != nil || !done || len(keys) != 1 || keys[0] != "-key" {
				t.Errorf("%s, prefix %q: keys %q, done %t, %v", name, prefixes[i], keys, done, err)
			}
		}
	}
}
