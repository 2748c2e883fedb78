package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// movement is a slot of an own cluster that goes from one master to another.
type movement struct {
	t        *testing.T
	slot     int
	from, to *testserver.RedisServer
	all      []*testserver.RedisServer
}

func (f fixture) movement() movement {
	f.t.Helper()
	m := movement{t: f.t, slot: slot(f.Store.books), all: f.servers}
	owner := m.slot * len(f.servers) / slots
	m.from, m.to = f.servers[owner], f.servers[(owner+1)%len(f.servers)]
	return m
}

func (m movement) id(s *testserver.RedisServer) string { return s.Do(m.t, "CLUSTER", "MYID").(string) }

// begin makes the slot migrating: keys that are not there are asked for at the
// other.
func (m movement) begin() {
	m.to.Do(m.t, "CLUSTER", "SETSLOT", m.slot, "IMPORTING", m.id(m.from))
	m.from.Do(m.t, "CLUSTER", "SETSLOT", m.slot, "MIGRATING", m.id(m.to))
}

// carry takes all keys of the slot over.
func (m movement) carry() {
	keys := m.from.Do(m.t, "CLUSTER", "GETKEYSINSLOT", m.slot, 1000).([]any)
	if len(keys) > 0 {
		m.from.Do(m.t, append([]any{"MIGRATE", "127.0.0.1", m.to.Port, "", 0, 5000, "KEYS"}, keys...)...)
	}
}

func (m movement) end() {
	for _, s := range []*testserver.RedisServer{m.to, m.from} {
		s.Do(m.t, "CLUSTER", "SETSLOT", m.slot, "NODE", m.id(m.to))
	}
}

// TestBooksThatMove counts on while the books' slot goes to another master, at
// each moment of the way.
func TestBooksThatMove(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	m := f.movement()
	rev, n := store.Absent, 0
	count := func(when string) {
		t.Helper()
		for range 3 {
			n++
			written, err := f.Store.Swap(t.Context(), nil, store.Note{Key: "n", Rev: rev, Value: fmt.Append(nil, n)})
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			rev = written[0].Rev
		}
		view, err := f.Store.Look(t.Context(), "n")
		if err != nil || len(view.Notes) != 1 || string(view.Notes[0].Value) != fmt.Sprint(n) {
			t.Fatalf("%s: %v, %v", when, view.Notes, err)
		}
	}
	count("before")
	m.begin()
	count("while it is being moved")
	if _, err := f.run(mark()); err == nil || !strings.Contains(err.Error(), "being moved") {
		t.Errorf("a sweep while slots are being moved: %v", err)
	}
	m.carry()
	count("when the keys are there and the slot is not")
	m.end()
	count("after")
	other := f.another()
	if _, err := other.Look(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAScanBeginsAgainAfterAMove moves a slot with keys from a master that was
// not scanned yet to one that was.
func TestAScanBeginsAgainAfterAMove(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	keys := f.fill(600)
	reader := &Reader{store: f.Store}
	addrs, _, err := f.masters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var cursor []byte
	scan := func() (done bool) {
		found, next, done, err := reader.Scan(t.Context(), "k:*", cursor, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range found {
			seen[key] = true
		}
		cursor = next
		return done
	}
	for !strings.Contains(string(cursor), `"master":1`) {
		scan()
	}
	m := f.lastSlot(addrs, keys)
	m.begin()
	m.carry()
	m.end()
	eventually(t, "all masters know the move", func() bool {
		owners, err := f.net.ask(t.Context(), f.servers[0].Addr())
		return err == nil && owners[m.slot] == m.to.Addr()
	})
	for !scan() {
	}
	if len(seen) != len(keys) {
		t.Errorf("%d of %d keys were seen", len(seen), len(keys))
	}
}

// lastSlot is a movement of a slot with keys from the master that is scanned
// last to the one that is scanned first.
func (f fixture) lastSlot(addrs, keys []string) movement {
	byAddr := map[string]*testserver.RedisServer{}
	for _, s := range f.servers {
		byAddr[s.Addr()] = s
	}
	m := movement{t: f.t, from: byAddr[addrs[2]], to: byAddr[addrs[0]], all: f.servers}
	for _, key := range keys {
		if owner, _ := f.net.owner(context.Background(), slot(key)); owner.Options().Addr == addrs[2] {
			m.slot = slot(key)
			return m
		}
	}
	f.t.Fatal("no key is on the last master")
	return m
}

// TestAMasterThatIsDown takes a master away: nothing may be called complete.
func TestAMasterThatIsDown(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	f.fill(100)
	m := f.movement()
	if err := m.to.Stop(); err != nil { // not the one with the books
		t.Fatal(err)
	}
	_, surveyErr := f.Store.Survey(t.Context())
	_, sweepErr := f.run(mark())
	for what, err := range map[string]error{"Survey": surveyErr, "sweep": sweepErr} {
		if _, ok := errors.AsType[*store.UnreachableError](err); !ok {
			t.Errorf("%s with a master down: %v", what, err)
		}
	}
	eventually(t, "the cluster is down", func() bool {
		_, err := f.Store.Look(t.Context())
		gone, ok := errors.AsType[*store.UnreachableError](err)
		return ok && strings.Contains(gone.Error(), "CLUSTERDOWN")
	})
}

func TestSlotsWithoutAnOwner(t *testing.T) {
	servers := testserver.OwnRedisCluster(t)
	f := prepared(t, servers...)
	for _, server := range servers {
		server.Do(t, "CONFIG", "SET", "cluster-require-full-coverage", "no")
	}
	lost := (slot(f.Store.books) + 1) % slots
	for _, server := range servers {
		server.Do(t, "CLUSTER", "DELSLOTS", lost)
	}
	_, err := f.run(mark())
	wantText(t, err, "16383 of 16384 slots")
}
