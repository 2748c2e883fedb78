package redis

import (
	"errors"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestProofsOfAnEarlierTimeAreForgotten copies and seals, takes the copy back,
// and does both again with another value. A client of the old release then writes
// what was there at first: it was carried over once, and is not in the target now.
func TestProofsOfAnEarlierTimeAreForgotten(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		source, target := f.Store.full("old:{a}"), f.Store.full("new:{a}")
		for _, value := range []string{"first", "second"} {
			f.raw("SET", source, value)
			f.raw("DEL", target)
			if _, err := f.through(Copy{Layout: renamed}, 100); err != nil {
				t.Fatal(err)
			}
			if _, err := f.through(Seal{Layout: renamed}, 100); err != nil {
				t.Fatal(err)
			}
		}
		f.raw("SET", source, "first")
		_, err := f.through(DeleteSources{Layout: renamed}, 100)
		unproven, ok := errors.AsType[*UnprovenError](err)
		if !ok || len(unproven.Keys) != 1 || f.raw("GET", source) != "first" {
			t.Fatalf("%v, and the source holds %v", err, f.raw("GET", source))
		}
		wantText(t, err, "old:{a} (their contents differ)", "1 source stays")
	})
}

// TestDigestsOfACutoverThatDied lets a client write behind a cutover whose process
// kept the digest of that, and died before it took it back.
func TestDigestsOfACutoverThatDied(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("SET", f.Store.full("old:a"), "first")
		f.raw("SET", f.Store.full("old:b"), "first")
		if _, err := f.through(Copy{Layout: renamed}, 100); err != nil {
			t.Fatal(err)
		}
		a := authority{Targets: true, rev: store.Absent}
		if err := f.Store.keepAuthority(t.Context(), renamed, &a, nil); err != nil {
			t.Fatal(err)
		}
		f.raw("SET", f.Store.full("old:a"), "late")
		dead := &Sweep{Reader: Reader{store: f.Store}}
		if err := dead.keepSources(t.Context(), renamed); err != nil {
			t.Fatal(err)
		}
		_, err := f.through(DeleteSources{Layout: renamed, Live: true}, 100)
		wantText(t, err, "1 source stays", "old:a (their contents differ)")
		if got := f.raw("GET", f.Store.full("old:a")); got != "late" {
			t.Errorf("the source that was written late holds %v", got)
		}
		if got := f.raw("EXISTS", f.Store.full("old:b")); got != int64(0) {
			t.Error("the other source is still there")
		}
	})
}

// TestWhatIsBetweenAnUnprovenSourceAndItsTarget is what an operator needs to
// decide about it.
func TestWhatIsBetweenAnUnprovenSourceAndItsTarget(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		for _, key := range []string{"old:alone", "old:same", "new:same", "old:other"} {
			f.raw("SET", f.Store.full(key), "x")
		}
		f.raw("SET", f.Store.full("new:other"), "y")
		_, err := f.through(DeleteSources{Layout: renamed}, 100)
		wantText(t, err, "2 sources stay", "old:alone (there is no target)", "old:other (their contents differ)")
		if got := failure(t, err); got.Hint == "" || got.Stays == "" {
			t.Errorf("%+v", got)
		}
	})
}

// TestAPrefixWithAHashTag has all keys of a cluster's store in one slot, beside
// the books: copy, verification and contract go through there as well.
func TestAPrefixWithAHashTag(t *testing.T) {
	place := suite{servers: testserver.RedisCluster(t), prefix: "x{t%d}:"}.site()
	t.Cleanup(func() { place.client.Close() })
	f := fixture{Store: open(t, place.settings), site: place, t: t}
	if err := f.Store.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	names := f.sealed()
	f.raw("APPEND", f.Store.full("old:"+names[0]+":s"), "late")
	_, err := f.through(DeleteSources{Layout: renamed}, 100)
	wantText(t, err, "1 source stays", "old:"+names[0]+":s")
	f.raw("DEL", f.Store.full("old:"+names[0]+":s"))
	if _, err := f.through(DeleteSources{Layout: renamed}, 100); err != nil {
		t.Fatal(err)
	}
	if old, renamed := f.below("old:*"), f.below("new:*"); len(old) != 0 || len(renamed) != 7*len(names) {
		t.Errorf("%d sources and %d targets are there", len(old), len(renamed))
	}
	node, err := f.net.owner(t.Context(), slot(f.Store.books))
	if err != nil {
		t.Fatal(err)
	}
	if left := node.Keys(t.Context(), f.Store.prefix+"*").Val(); len(left) != 7*len(names)+1 { // and the books
		t.Errorf("%d keys are there, of %d and the books", len(left), 7*len(names))
	}
}
