package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// asUser opens the store as a user of its own.
func (f fenced) asUser(name string, rules ...any) *Store {
	f.t.Helper()
	server, settings := f.servers[0], f.settings
	server.Do(f.t, append([]any{"ACL", "SETUSER", name, "reset", "on", ">canary-tool", "~" + f.Store.prefix + "*", "+@all"}, rules...)...)
	settings.URL = server.URLAs(name, "canary-tool")
	return open(f.t, settings)
}

// TestAFenceByHand has a store that may look and not set: it says what an
// operator has to do, and takes that for a fence once it is proven.
func TestAFenceByHand(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	s := f.asUser("tool", "-acl|setuser", "-client|kill")
	before, err := s.BeforeFence(t.Context(), f.Fence)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.RaiseFence(t.Context(), f.Fence, before)
	hand, ok := errors.AsType[*ByHandError](err)
	if !ok || len(hand.Commands) != 2 {
		t.Fatalf("a fence that is not allowed: %v", err)
	}
	wantText(t, err, "an operator", "ACL SETUSER "+f.User+" resetkeys", "CLIENT KILL USER "+f.User, "can still do")
	var words []any
	for _, word := range strings.Fields(hand.Commands[0]) {
		words = append(words, strings.Trim(word, "'"))
	}
	f.servers[0].Do(t, words...)
	standing, err := s.RaiseFence(t.Context(), f.Fence, before)
	if err != nil || len(standing.Fleeting) != 1 {
		t.Fatalf("a fence that an operator raised: %v, %v", standing, err)
	}
	err = s.LiftFence(t.Context(), f.Fence, before)
	if hand, ok := errors.AsType[*ByHandError](err); !ok || !strings.Contains(hand.Commands[0], "+flushdb") {
		t.Errorf("lifting that is not allowed: %v", err)
	}
}

// TestAWaitingClientThatCannotBeEnded keeps a fence from counting.
func TestAWaitingClientThatCannotBeEnded(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	s := f.asUser("tool", "-client|kill")
	before, err := s.BeforeFence(t.Context(), f.Fence)
	if err != nil {
		t.Fatal(err)
	}
	old := f.as(f.servers[0])
	ended := make(chan error, 1)
	go func() { ended <- old.BLPop(t.Context(), 0, f.Store.full("session:queue")).Err() }()
	eventually(t, "a waiting client keeps the fence from counting", func() bool {
		_, err := s.RaiseFence(t.Context(), f.Fence, before)
		_, ok := errors.AsType[*ByHandError](err)
		return ok
	})
	f.raw("RPUSH", f.Store.full("session:queue"), "a")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := s.RaiseFence(t.Context(), f.Fence, before); err != nil {
		t.Errorf("with nobody waiting: %v", err)
	}
}

func TestFencesThatAreRefused(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t)).withOld()
	before, err := f.Store.BeforeFence(t.Context(), f.Fence)
	if err != nil {
		t.Fatal(err)
	}
	try := func(s *Store, change func(*Fence)) error {
		fence := f.Fence
		change(&fence)
		_, err := s.BeforeFence(t.Context(), fence)
		if err == nil {
			_, err = s.RaiseFence(t.Context(), fence, before)
		}
		return err
	}
	wantText(t, try(f.Store, func(f *Fence) { f.User = "" }), "needs the user")
	wantText(t, try(f.Store, func(f *Fence) { f.Probes = nil }), "proven")
	wantText(t, try(f.Store, func(f *Fence) { f.User = "nobody" }), `no user "nobody"`)
	wantText(t, try(f.Store, func(f *Fence) { f.User = "default" }), `itself connects as "default"`)
	wantText(t, try(f.Store, func(f *Fence) { f.Writable = []string{"tenant:*"} }), "can still do SET "+f.Store.prefix+"tenant:probe")
	blind := f.asUser("blind", "-acl|dryrun")
	err = try(blind, func(*Fence) {})
	if _, ok := errors.AsType[*store.RightsError](err); !ok {
		t.Errorf("without DRYRUN: %v", err)
	}
	f.servers[0].Do(t, "ACL", "SETUSER", f.User, "(~other:* +set)")
	wantText(t, try(f.Store, func(*Fence) {}), "selectors")
}

// TestAProofTriesEachSortOfWrite has a user that may write hashes only: that it
// may not SET proves nothing.
func TestAProofTriesEachSortOfWrite(t *testing.T) {
	f := prepared(t, testserver.Redis(t)).withOld()
	f.servers[0].Do(t, "ACL", "SETUSER", f.User, "-@all", "+hset", "+hget")
	err := f.Store.ProveFence(t.Context(), f.Fence)
	wantText(t, err, "HSET "+f.Store.prefix+"tenant:probe")
	f.raise()
}

func TestUsersThatDifferAmongNodes(t *testing.T) {
	servers := testserver.OwnRedisCluster(t)
	f := prepared(t, servers...).withOld()
	servers[2].Do(t, "ACL", "SETUSER", f.User, "~more:*")
	_, err := f.Store.BeforeFence(t.Context(), f.Fence)
	wantText(t, err, "other rights here than on")
}

func TestPatternsApartFromThePrefix(t *testing.T) {
	s := &Store{keyspace: newKeyspace("shop:")}
	for rule, want := range map[string]bool{
		"~*": false, "~shop:*": false, "~shop:a": false, "~sho*": false, "~s?op:*": false, "%R~shop:*": false, `~\shop:*`: false,
		"~shop": true, "~session:*": true, "%RW~sess*": true, "~shopping*": true,
	} {
		if got := s.apart(rule); got != want {
			t.Errorf("%s is apart: %t", rule, got)
		}
	}
}
