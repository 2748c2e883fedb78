package redis

import (
	"errors"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestAFenceThatFellBeforeTheCutover is about a server that was started anew between
// the fence and the cutover, and has forgotten the one.
func TestAFenceThatFellBeforeTheCutover(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	guard := f.note("epoch", store.Any, `1`)
	f.on("SET", "old:1", "a")
	if _, err := f.performed(guard, followed); err != nil {
		t.Fatal(err)
	}
	shut := func() {
		t.Helper()
		if err := f.Store.Fence(t.Context(), store.Fence{Logins: []string{f.User}}, func([]byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	shut()
	f.servers[0].Do(t, "ACL", "SETUSER", f.User, "allkeys", "+flushall")
	if _, err := f.performed(guard, Cutover{Layout: renamed}); !errors.As(err, new(*UnfencedError)) {
		t.Fatalf("cut over although %s can write: %v", f.User, err)
	}
	f.on("SET", "old:1", "b")
	shut()
	if _, err := f.performed(guard, Cutover{Layout: renamed}); err != nil {
		t.Fatal(err)
	}
	if now := f.on("GET", "new:1"); now != "b" {
		t.Errorf("what was written between the two is not carried over: %v", now)
	}
}

// TestTwoLiveCopies follow the writers of two layouts, of which each raises the
// guards when it begins.
func TestTwoLiveCopies(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		guard := f.note("epoch", store.Any, `1`)
		other := renaming{"former:", "latter:"}
		for _, layout := range []Layout{renamed, other} {
			if _, err := f.performed(guard, Copy{Layout: layout, Live: true}); err != nil {
				t.Fatal(err)
			}
		}
		f.on("SET", "old:1", "a")
		f.on("SET", "former:1", "b")
		for _, layout := range []Layout{renamed, other} {
			if err := f.caughtUp(guard, Cutover{Layout: layout}); err != nil {
				t.Fatal(err)
			}
			if _, err := f.performed(guard, Cutover{Layout: layout}); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := f.on("GET", "new:1"), f.on("GET", "latter:1"); a != "a" || b != "b" {
			t.Errorf("the targets are %v and %v", a, b)
		}
	})
}

// caughtUp follows as a run does: what passes is tried again.
func (f fixture) caughtUp(guard store.Note, action store.Action) error {
	for tries := 0; ; tries++ {
		err := f.Store.Follow(f.t.Context(), store.Task{Action: action, Guard: []store.Note{guard}})
		if gone := (*store.UnreachableError)(nil); !errors.As(err, &gone) || tries == 10 {
			return err
		}
	}
}

// TestOnlyTheHolderLiftsAFence is about a run that slept: another one relies on the
// fence by now.
func TestOnlyTheHolderLiftsAFence(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	guard := f.note("epoch", store.Any, `1`)
	a := authority{rev: store.Absent}
	task := store.Task{Guard: []store.Note{guard}}
	if err := f.Store.raiseOwn(t.Context(), Cutover{Layout: renamed, Fence: f.ownFence()}, &a, task); err != nil {
		t.Fatal(err)
	}
	f.note("epoch", store.Any, `2`)
	if err := f.Store.liftOwn(t.Context(), renamed, &a, task); !errors.As(err, new(*store.ConflictError)) {
		t.Errorf("a run without the lease has lifted the fence: %v", err)
	}
	if err := f.Store.ProveFence(t.Context(), *f.ownFence()); err != nil {
		t.Error(err)
	}
}

// TestAFenceOfWhichAPartStands is about a run that died while it raised it.
func TestAFenceOfWhichAPartStands(t *testing.T) {
	servers := testserver.OwnRedisCluster(t)
	f := prepared(t, servers...).withOld()
	fence := f.Store.fenceOf(f.User)
	before, err := f.Store.BeforeFence(t.Context(), fence)
	if err != nil {
		t.Fatal(err)
	}
	servers[0].Do(t, append([]any{"ACL", "SETUSER", f.User}, f.Store.rules(fence, before)...)...)
	again, err := f.Store.BeforeFence(t.Context(), fence)
	if err != nil || again.Keys[0] != before.Keys[0] || len(again.Emptying) != len(before.Emptying) {
		t.Errorf("%+v, before %+v: %v", again, before, err)
	}
	servers[1].Do(t, "ACL", "DELUSER", f.User)
	err = f.Store.Fence(t.Context(), store.Fence{Logins: []string{f.User}}, func([]byte) error { return nil })
	wantText(t, err, "and none on")
}

// TestCommandsThatAServerDoesNotHave are those that an operator took away for good.
func TestCommandsThatAServerDoesNotHave(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t, "--rename-command", "FLUSHALL", "", "--rename-command", "FLUSHDB", "EMPTY"))
	f.addOld(f.servers[0], "old")
	fence := f.Store.fenceOf("old")
	before, err := f.Store.BeforeFence(t.Context(), fence)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Store.RaiseFence(t.Context(), fence, before); err != nil {
		t.Fatal(err)
	}
	if err := f.Store.LiftFence(t.Context(), fence, before); err != nil {
		t.Fatal(err)
	}
}
