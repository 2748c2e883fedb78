package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// renaming is a layout that puts one beginning in the place of another. Keys
// that begin with "odd:" are ambiguous.
type renaming struct{ old, new string }

func (r renaming) Target(key string) (string, bool, error) {
	if strings.HasPrefix(key, "odd:") {
		return "", false, &AmbiguousError{Key: key, Readings: []string{"this", "that"}}
	}
	rest, ok := strings.CutPrefix(key, r.old)
	return r.new + rest, ok, nil
}

func (r renaming) Source(key string) (string, bool, error) {
	rest, ok := strings.CutPrefix(key, r.new)
	return r.old + rest, ok, nil
}

func (r renaming) Fate(key string) Fate {
	switch {
	case strings.HasPrefix(key, "keep:"):
		return Kept
	case strings.HasPrefix(key, "drop:"):
		return Dropped
	}
	return Unmentioned
}

func (r renaming) Sources() []string { return []string{r.old} }
func (r renaming) Targets() []string { return []string{r.new} }
func (r renaming) String() string    { return r.old + "<rest...> to " + r.new + "<rest...>" }

var renamed = renaming{"old:", "new:"}

// everySort makes keys of every type, small and large, with and without an end,
// in slots of their own and in the same as their targets.
func (f fixture) everySort() (keys []string) {
	f.t.Helper()
	p := f.client.Pipeline()
	ctx := context.Background()
	at := time.Now().Add(time.Hour).Truncate(time.Millisecond).Add(123 * time.Millisecond)
	for i := range 40 {
		name := f.Store.full(fmt.Sprintf("old:%d", i))
		if i%2 == 0 {
			name = f.Store.full(fmt.Sprintf("old:{%d}", i))
		}
		keys = append(keys, name[len(f.Store.full("old:")):])
		p.Set(ctx, name+":s", "a\x00b\xff", 0)
		p.SetBit(ctx, name+":bits", int64(i), 1)
		for k := range 3 + i*10 {
			p.HSet(ctx, name+":h", fmt.Sprint("f", k), strings.Repeat("v", k%80))
			p.SAdd(ctx, name+":set", fmt.Sprint("m\x00", k))
			p.ZAdd(ctx, name+":z", zed(k))
			p.RPush(ctx, name+":l", k)
		}
		p.Do(ctx, "XADD", name+":x", "1-1", "a", "1")
		p.Do(ctx, "XADD", name+":x", "2-1", "a", "2")
		p.Do(ctx, "XGROUP", "CREATE", name+":x", "g", "0")
		p.Do(ctx, "XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", name+":x", ">")
		p.PExpireAt(ctx, name+":h", at)
		p.PExpireAt(ctx, name+":x", at)
	}
	if _, err := p.Exec(ctx); err != nil {
		f.t.Fatal(err)
	}
	return keys
}

// through runs an action to its end.
func (f fixture) through(action store.Action, size int) (rows int64, err error) {
	f.t.Helper()
	guard := f.note("epoch", store.Any, `1`)
	var cursor []byte
	for {
		p, err := f.Store.Do(f.t.Context(), store.Task{Action: action, Cursor: cursor, Size: size, Sample: 20,
			Guard: []store.Note{guard}, Record: recorded("done")})
		rows += p.Rows
		if err != nil || p.Done {
			return rows, err
		}
		cursor = p.Cursor
	}
}

// violations gives what a verification finds.
func (f fixture) violations(action store.Action) []string {
	f.t.Helper()
	p, err := f.Store.Do(f.t.Context(), store.Task{Action: action, Sample: 20})
	if err != nil {
		f.t.Fatal(err)
	}
	return p.Sample
}

func TestACopyBringsEveryTypeToEveryMaster(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		names := f.everySort()
		rows, err := f.through(Copy{Layout: renamed}, 50)
		if err != nil || rows != int64(7*len(names)) {
			t.Fatalf("%d rows, %v", rows, err)
		}
		for _, name := range names {
			for _, sort := range []string{":s", ":bits", ":h", ":set", ":z", ":l", ":x"} {
				from, to := f.Store.full("old:"+name+sort), f.Store.full("new:"+name+sort)
				if a, b := f.raw("TYPE", from), f.raw("TYPE", to); a != b || a == "none" {
					t.Fatalf("%s is a %v, %s a %v", from, a, to, b)
				}
				if a, b := f.raw("PEXPIRETIME", from), f.raw("PEXPIRETIME", to); a != b {
					t.Fatalf("%s ends at %v, %s at %v", from, a, to, b)
				}
			}
			if got := f.raw("GET", f.Store.full("new:"+name+":s")); got != "a\x00b\xff" {
				t.Fatalf("the string is %q", got)
			}
			if got := fmt.Sprint(f.raw("XPENDING", f.Store.full("new:"+name+":x"), "g")); !strings.Contains(got, "1-1") {
				t.Fatalf("the group of the stream is %s", got)
			}
		}
		if found := f.violations(Compare{Layout: renamed}); len(found) > 0 {
			t.Errorf("%q", found)
		}
		if rows, err := f.through(Copy{Layout: renamed}, 1000); err != nil || rows != 0 {
			t.Errorf("the second time: %d rows, %v", rows, err)
		}
	})
}

func TestWhatCompareFinds(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		name := f.everySort()[0]
		if _, err := f.through(Copy{Layout: renamed}, 1000); err != nil {
			t.Fatal(err)
		}
		to, from := f.Store.full("new:"+name), f.Store.full("old:"+name)
		for _, c := range []struct {
			spoil, mend []any
			says        string
		}{
			{[]any{"APPEND", to + ":s", "x"}, []any{"SET", to + ":s", "a\x00b\xff"}, "contents differ"},
			{[]any{"HSET", to + ":h", "f0", "x"}, []any{"HSET", to + ":h", "f0", ""}, "contents differ"},
			{[]any{"SREM", to + ":set", "m\x001"}, []any{"SADD", to + ":set", "m\x001"}, "contents differ"},
			{[]any{"ZINCRBY", to + ":z", "1", "m1"}, []any{"ZINCRBY", to + ":z", "-1", "m1"}, "contents differ"},
			{[]any{"RPUSH", to + ":l", "x"}, []any{"RPOP", to + ":l"}, "contents differ"},
			{[]any{"XGROUP", "SETID", to + ":x", "g", "0"}, []any{"COPY", from + ":x", to + ":x", "REPLACE"}, "contents differ"},
			{[]any{"PEXPIRE", to + ":s", "100000"}, []any{"PERSIST", to + ":s"}, "ends by itself"},
			{[]any{"DEL", to + ":l"}, []any{"COPY", from + ":l", to + ":l"}, "no target"},
			{[]any{"SET", to + ":more", "1"}, []any{"DEL", to + ":more"}, "no source"},
			{[]any{"SET", f.Store.full("other"), "1"}, []any{"DEL", f.Store.full("other")}, "no template takes it"},
			{[]any{"SET", f.Store.full("odd:1"), "1"}, []any{"DEL", f.Store.full("odd:1")}, "2 ways"},
			{[]any{"SET", f.Store.full("keep:1"), "1"}, []any{"DEL", f.Store.full("keep:1")}, ""},
		} {
			f.raw(c.spoil...)
			found := f.violations(Compare{Layout: renamed})
			if (len(found) > 0) != (c.says != "") || len(found) > 1 || len(found) == 1 && !strings.Contains(found[0], c.says) {
				t.Errorf("after %q: %q, want %q", c.spoil, found, c.says)
			}
			f.raw(c.mend...)
			if found := f.violations(Compare{Layout: renamed}); len(found) > 0 {
				t.Fatalf("after %q: %q", c.mend, found)
			}
		}
	})
}

func TestATargetThatIsThereIsNotOverwritten(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		for _, name := range []string{"{a}", "b"} {
			f.raw("SET", f.Store.full("old:"+name), "mine")
			f.raw("SET", f.Store.full("new:"+name), "theirs")
			_, err := f.through(Copy{Layout: renamed}, 100)
			if !errors.As(err, new(*TakenError)) {
				t.Errorf("%v (%T)", err, err)
			}
			wantText(t, err, "new:"+name, "nothing was overwritten")
			if got := f.raw("GET", f.Store.full("new:"+name)); got != "theirs" {
				t.Errorf("the target holds %v", got)
			}
			f.raw("DEL", f.Store.full("old:"+name), f.Store.full("old:"+name))
		}
	})
}

// TestKeysOfMegabytes copies keys that are taken out of the server by themselves.
func TestKeysOfMegabytes(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		for i := range 5 {
			f.raw("SET", f.Store.full(fmt.Sprint("old:", i)), strings.Repeat("x", bigKey*(i+1)))
		}
		if rows, err := f.through(Copy{Layout: renamed}, 100); err != nil || rows != 5 {
			t.Fatalf("%d rows, %v", rows, err)
		}
		if found := f.violations(Compare{Layout: renamed}); len(found) > 0 {
			t.Errorf("%q", found)
		}
	})
}

// TestALateCopyIsFenced lets another holder take over before a batch arrives.
func TestALateCopyIsFenced(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.everySort()
		old := f.note("epoch", store.Absent, `1`)
		late := &Sweep{Reader: Reader{store: f.another()}, task: store.Task{Guard: []store.Note{old}}, guard: old.Rev}
		now := f.note("epoch", old.Rev, `2`)
		first := Stretch("first", func(context.Context, *Sweep, []byte, int) ([]byte, bool, int64, error) { return nil, true, 0, nil })
		if _, err := f.Store.Do(t.Context(), store.Task{Action: first, Size: 1, Guard: []store.Note{now}}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"1:s", "{0}:s"} { // between slots, and inside of one
			results, err := late.copyBatch(t.Context(), []pair{{"old:" + name, "new:" + name}}, true)
			if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard || results[0].became != untried {
				t.Errorf("%s: %v, %v", name, results, err)
			}
		}
		var rows int64
		var err error
		var cursor []byte
		for done := false; err == nil && !done; { // a stretch may end before it has found a key
			cursor, done, rows, err = Copy{Layout: renamed}.sweep(t.Context(), late, cursor, 1000)
		}
		if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard || rows != 0 {
			t.Errorf("%d rows, %v", rows, err)
		}
		if keys := f.below("new:*"); len(keys) > 0 {
			t.Errorf("%d keys were copied late", len(keys))
		}
	})
}

func TestACopyWithoutMemory(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	f.everySort()
	server.Do(t, "CONFIG", "SET", "maxmemory", "1mb")
	_, err := f.Store.Do(t.Context(), store.Task{Action: Copy{Layout: renamed}, Size: 1000})
	wantText(t, err, "maxmemory is reached")
	if got := failure(t, err); got.Code != "OOM" || got.Hint == "" {
		t.Errorf("%+v", got)
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "0")
	if _, err := f.through(Copy{Layout: renamed}, 1000); err != nil {
		t.Fatal(err)
	}
	if found := f.violations(Compare{Layout: renamed}); len(found) > 0 {
		t.Errorf("%q", found)
	}
}

func zed(k int) goredis.Z { return goredis.Z{Score: float64(k % 7), Member: fmt.Sprint("m", k)} }
