package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// ownFence is one that a cutover raises itself, before the user of withOld.
func (f fenced) ownFence() *Fence {
	return &Fence{User: f.User, Readable: []string{"*"}, Writable: []string{"new:*"}, Probes: []string{"old:probe"}}
}

// cutOverWith makes keys, follows them and cuts over.
func (f fixture) cutOverWith(guard store.Note, fence *Fence) {
	f.t.Helper()
	for i := range 40 {
		f.on("SET", fmt.Sprintf("old:%d", i), i)
	}
	if _, err := f.performed(guard, followed); err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.performed(guard, Cutover{Layout: renamed, Fence: fence}); err != nil {
		f.t.Fatal(err)
	}
}

// forgetSealing makes the books as those of a run that died behind the record of a
// cutover, before it had kept a digest.
func (f fixture) forgetSealing(guard store.Note) {
	f.t.Helper()
	a, err := f.Store.authorityOf(f.t.Context(), renamed)
	if err != nil || !a.Targets || !a.Sealed {
		f.t.Fatalf("%+v, %v", a, err)
	}
	a.Sealed = false
	if err := f.Store.keepAuthority(f.t.Context(), renamed, &a, []store.Note{guard}); err != nil {
		f.t.Fatal(err)
	}
	for i := range slots {
		if err := f.client.Del(f.t.Context(), f.Store.digestsOf(renamed, i)).Err(); err != nil {
			f.t.Fatal(err)
		}
	}
}

// everyOwnServer is for tests that change users: on one server and on a cluster.
func everyOwnServer(t *testing.T, test func(t *testing.T, f fixture)) {
	for name, servers := range map[string][]*testserver.RedisServer{"Redis": {testserver.OwnRedis(t)}, "cluster": testserver.OwnRedisCluster(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, prepared(t, servers...))
		})
	}
}

func TestACutoverWithAFenceOfItsOwn(t *testing.T) {
	everyOwnServer(t, func(t *testing.T, base fixture) {
		f := base.withOld()
		guard := f.note("epoch", store.Any, `1`)
		f.cutOverWith(guard, f.ownFence())
		user := f.asAll()
		if err := user.Set(t.Context(), f.Store.full("old:1"), "late", 0).Err(); !denied(err) {
			t.Errorf("the old key can be written: %v", err)
		}
		if err := user.Set(t.Context(), f.Store.full("new:1"), "now", 0).Err(); err != nil {
			t.Errorf("the new key cannot be written: %v", err)
		}
		if _, err := f.performed(guard, DeleteSources{Layout: renamed, Live: true}); err != nil {
			t.Fatal(err)
		}
		if left := f.below("old:*"); len(left) > 0 {
			t.Errorf("left are %q", left)
		}
		if err := user.Set(t.Context(), f.Store.full("old:1"), "again", 0).Err(); err != nil {
			t.Errorf("the fence is left: %v", err)
		}
	})
}

// TestDigestsThatACutoverDidNotKeep is about a process that died behind the record.
// While the fence stands the sources are still what was carried over, whatever was
// done to the targets; without one that is known only of those that are equal.
func TestDigestsThatACutoverDidNotKeep(t *testing.T) {
	for what, fence := range map[string]bool{"fenced": true, "not fenced": false} {
		t.Run(what, func(t *testing.T) {
			everyOwnServer(t, func(t *testing.T, base fixture) {
				f := base.withOld()
				guard := f.note("epoch", store.Any, `1`)
				var own *Fence
				if fence {
					own = f.ownFence()
				}
				f.cutOverWith(guard, own)
				f.forgetSealing(guard)
				f.on("SET", "new:7", "changed since")
				_, err := f.performed(guard, DeleteSources{Layout: renamed, Live: true})
				left := f.below("old:*")
				if fence && (err != nil || len(left) > 0) {
					t.Errorf("%v, left are %q", err, left)
				}
				if !fence && (!errors.As(err, new(*UnprovenError)) || !slices.Equal(left, []string{"old:7"})) {
					t.Errorf("%v, left are %q", err, left)
				}
			})
		})
	}
}

// TestAFenceThatFellProvesNothing: a user that could write in between may have.
func TestAFenceThatFellProvesNothing(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	guard := f.note("epoch", store.Any, `1`)
	f.cutOverWith(guard, f.ownFence())
	f.forgetSealing(guard)
	f.servers[0].Do(t, "ACL", "SETUSER", f.User, "allkeys")
	f.on("SET", "new:7", "changed since")
	_, err := f.performed(guard, DeleteSources{Layout: renamed, Live: true})
	if left := f.below("old:*"); !errors.As(err, new(*UnprovenError)) || !slices.Equal(left, []string{"old:7"}) {
		t.Errorf("%v, left are %q", err, left)
	}
}

func TestTargetsThatWereThereAreNotWrittenOver(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		guard := f.note("epoch", store.Any, `1`)
		f.on("SET", "old:1", "a")
		f.on("SET", "new:1", "somebody's")
		f.on("SET", "old:2", "b")
		f.on("SET", "new:2", "b")
		_, err := f.performed(guard, followed)
		taken := (*TakenError)(nil)
		if !errors.As(err, &taken) || len(taken.Keys) != 1 || !strings.HasPrefix(taken.Keys[0], "new:1 ") {
			t.Fatalf("%v", err)
		}
		if got := f.on("GET", "new:1"); got != "somebody's" {
			t.Errorf("new:1 holds %v", got)
		}
		f.on("DEL", "new:1")
		if _, err := f.performed(guard, followed); err != nil {
			t.Fatal(err)
		}
	})
}

// TestADeadRunIsMadeUpFor deletes and changes sources while nobody follows them.
func TestADeadRunIsMadeUpFor(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		guard := f.note("epoch", store.Any, `1`)
		for i := range 300 {
			f.on("SET", fmt.Sprintf("old:%d", i), i)
		}
		if _, err := f.performed(guard, followed); err != nil {
			t.Fatal(err)
		}
		f.Store.Unfollow()
		f.on("DEL", "old:7")
		f.on("SET", "old:8", "changed")
		f.on("SET", "old:new", "made")
		f.on("PEXPIRE", "old:9", 3_600_000)
		guard = f.note("epoch", store.Any, `2`)
		if _, err := f.performed(guard, Cutover{Layout: renamed}); err != nil {
			t.Fatal(err)
		}
		if got := f.violations(Compare{Layout: renamed}); len(got) > 0 {
			t.Errorf("%q", got)
		}
	})
}

// TestAnEmptiedDatabaseIsEmptiedInTheCopy checks the one change of which no key is told.
func TestAnEmptiedDatabaseIsEmptiedInTheCopy(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t))
	guard := f.note("epoch", store.Any, `1`)
	for i := range 300 {
		f.on("SET", fmt.Sprintf("old:%d", i), i)
	}
	if _, err := f.performed(guard, followed); err != nil {
		t.Fatal(err)
	}
	m := f.Store.mirroring(renamed)
	w := m.now
	other := f.servers[0].Client()
	defer func() { _ = other.Close() }()
	if err := other.Do(context.Background(), "SWAPDB", 8, 9).Err(); err != nil {
		t.Fatal(err)
	}
	if err := other.Do(context.Background(), "FLUSHDB").Err(); err != nil {
		t.Fatal(err)
	}
	<-w.ctx.Done()
	if !errors.Is(w.err(), errEmptied) {
		t.Errorf("it ended with %v", w.err())
	}
}

// asAll is a client of the old release for the whole cluster.
func (f fenced) asAll() goredis.UniversalClient {
	if len(f.servers) == 1 {
		return f.as(f.servers[0])
	}
	client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{f.servers[0].Addr()}, Protocol: 2, Username: f.User, Password: "canary-old"})
	f.t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestACutoverWithAFenceByHand has a store that may not set users: each time it says
// what an operator has to type, and goes on when that is so.
func TestACutoverWithAFenceByHand(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	f.Store = f.asUser("tool", "-acl|setuser", "-client|kill")
	guard := f.note("epoch", store.Any, `1`)
	f.on("SET", "old:1", "a")
	if _, err := f.performed(guard, followed); err != nil {
		t.Fatal(err)
	}
	byHand := func(action store.Action) {
		t.Helper()
		_, err := f.performed(guard, action)
		hand, ok := errors.AsType[*ByHandError](err)
		if !ok {
			t.Fatalf("%T without the right: %v", action, err)
		}
		var words []any
		for _, word := range strings.Fields(hand.Commands[0]) {
			words = append(words, strings.Trim(word, "'"))
		}
		f.servers[0].Do(t, words...)
	}
	cutover := Cutover{Layout: renamed, Fence: f.ownFence()}
	byHand(cutover)
	if _, err := f.performed(guard, cutover); err != nil {
		t.Fatal(err)
	}
	if err := f.as(f.servers[0]).Set(t.Context(), f.Store.full("old:1"), "late", 0).Err(); !denied(err) {
		t.Errorf("the old key can be written: %v", err)
	}
	deletion := DeleteSources{Layout: renamed, Live: true}
	byHand(deletion)
	if _, err := f.performed(guard, deletion); err != nil {
		t.Fatal(err)
	}
	if err := f.as(f.servers[0]).Set(t.Context(), f.Store.full("old:1"), "again", 0).Err(); err != nil {
		t.Errorf("the fence is left: %v", err)
	}
}
