package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// half copies one stretch, and gives its cursor.
func (f fixture) half() []byte {
	f.t.Helper()
	p, err := f.Store.Do(f.t.Context(), store.Task{Action: Copy{Layout: renamed}, Size: 20, Record: recorded("done")})
	if err != nil || p.Done || p.Rows == 0 {
		f.t.Fatalf("%+v, %v", p, err)
	}
	return p.Cursor
}

// from goes on with a copy at a cursor, to its end.
func (f fixture) from(cursor []byte) {
	f.t.Helper()
	for done := false; !done; {
		p, err := f.Store.Do(f.t.Context(), store.Task{Action: Copy{Layout: renamed}, Cursor: cursor, Size: 50, Record: recorded("done")})
		if err != nil {
			f.t.Fatal(err)
		}
		cursor, done = p.Cursor, p.Done
	}
	if found := f.violations(Compare{Layout: renamed}); len(found) > 0 {
		f.t.Errorf("%q", found)
	}
}

// TestACopyOverARestart takes the server away in the middle, with all that was
// copied: the cursor that was recorded is worth nothing then.
func TestACopyOverARestart(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	f.everySort()
	cursor := f.half()
	server.Restart(t)
	if err := f.Store.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.raw("FLUSHALL")
	if err := f.another().Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.everySort()
	f.from(cursor)
}

// TestACopyWhileASlotMoves copies before, during and after.
func TestACopyWhileASlotMoves(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	f.everySort()
	cursor := f.half()
	m := f.movement()
	m.begin()
	_, err := f.Store.Do(t.Context(), store.Task{Action: Copy{Layout: renamed}, Cursor: cursor, Size: 50})
	if !errors.As(err, new(*store.UnreachableError)) && (err == nil || !strings.Contains(err.Error(), "being moved")) {
		t.Errorf("while a slot is being moved: %v", err)
	}
	m.carry()
	m.end()
	eventually(t, "all masters know the move", func() bool {
		owners, err := f.net.ask(t.Context(), f.servers[0].Addr())
		return err == nil && owners[m.slot] == m.to.Addr()
	})
	f.from(cursor)
}

// TestACopyWithAMasterDown must not be called done.
func TestACopyWithAMasterDown(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	f.everySort()
	cursor := f.half()
	if err := f.movement().to.Stop(); err != nil { // not the one with the books
		t.Fatal(err)
	}
	for _, action := range []store.Action{Copy{Layout: renamed}, Compare{Layout: renamed}, Seal{renamed}, DeleteSources{Layout: renamed}} {
		task := store.Task{Action: action, Size: 1000}
		if action.Shape() == store.Stretched && fmt.Sprintf("%T", action) == "redis.Copy" {
			task.Cursor = cursor
		}
		if p, err := f.Store.Do(t.Context(), task); !errors.As(err, new(*store.UnreachableError)) {
			t.Errorf("%T: %+v, %v", action, p, err)
		}
	}
}

// TestACopyByAUserWithoutRights names what is missing, and changes nothing.
func TestACopyByAUserWithoutRights(t *testing.T) {
	server := testserver.OwnRedis(t)
	f := prepared(t, server)
	f.everySort()
	server.Do(t, "ACL", "SETUSER", "weak", "on", ">weak", "~"+f.Store.prefix+"*", "+@all", "-copy", "-restore")
	settings := f.settings
	settings.URL = server.URLAs("weak", "weak")
	s := open(t, settings)
	_, err := s.Do(t.Context(), store.Task{Action: Copy{Layout: renamed}, Size: 1000})
	right, ok := errors.AsType[*store.RightsError](err)
	if !ok || !strings.Contains(right.Missing, "COPY") {
		t.Errorf("%v (%T)", err, err)
	}
	if keys := f.below("new:*"); len(keys) > 0 {
		t.Errorf("%d targets are there", len(keys))
	}
}
