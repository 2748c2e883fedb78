package redis

import (
	"errors"
	"slices"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

// below gives all keys that a scan finds.
func (f fixture) below(match string) []string {
	f.t.Helper()
	var all []string
	var cursor []byte
	reader := &Reader{store: f.Store}
	for done := false; !done; {
		keys, next, end, err := reader.Scan(f.t.Context(), match, cursor, 1000)
		if err != nil {
			f.t.Fatal(err)
		}
		all, cursor, done = append(all, keys...), next, end
	}
	return all
}

// sealed fills, copies and seals.
func (f fixture) sealed() (names []string) {
	f.t.Helper()
	names = f.everySort()
	for _, action := range []store.Action{Copy{Layout: renamed}, Seal{renamed}, Seal{renamed}} {
		if rows, err := f.through(action, 100); err != nil || rows != int64(7*len(names)) {
			f.t.Fatalf("%T: %d rows, %v", action, rows, err)
		}
	}
	return names
}

// TestOnlyWhatIsProvenIsDeleted changes sources and targets after they were
// sealed. What the new release does to targets does not matter; what anybody did
// to a source keeps it.
func TestOnlyWhatIsProvenIsDeleted(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		names := f.sealed()
		f.raw("SET", f.Store.full("new:"+names[0]+":s"), "later")
		f.raw("DEL", f.Store.full("new:"+names[1]+":h"))
		f.raw("APPEND", f.Store.full("old:"+names[2]+":s"), "late")
		f.raw("PERSIST", f.Store.full("old:"+names[3]+":h"))
		f.raw("SET", f.Store.full("old:orphan"), "1")
		f.raw("SET", f.Store.full("keep:1"), "1")
		f.raw("SET", f.Store.full("drop:1"), "1")
		var unproven []string
		for {
			_, err := f.through(DeleteSources{Layout: renamed}, 100)
			left, ok := errors.AsType[*UnprovenError](err)
			if err == nil {
				break
			}
			if !ok || len(unproven) > 3 {
				t.Fatalf("%v (%T)", err, err)
			}
			wantText(t, err, "nothing proves", left.Keys[0]+" (")
			for _, key := range left.Keys {
				if f.raw("DEL", f.Store.full(key)) != int64(1) {
					t.Errorf("%s was deleted without a proof", key)
				}
			}
			unproven = append(unproven, left.Keys...)
		}
		slices.Sort(unproven)
		want := []string{"old:" + names[2] + ":s", "old:" + names[3] + ":h", "old:orphan"}
		slices.Sort(want)
		if !slices.Equal(unproven, want) {
			t.Errorf("without a proof are %q, want %q", unproven, want)
		}
		if left := f.below("old:*"); len(left) > 0 {
			t.Errorf("left are %q", left)
		}
		if got := len(f.below("new:*")); got != 7*len(names)-1 {
			t.Errorf("%d targets are left", got)
		}
		if kept, dropped := f.below("keep:*"), f.below("drop:*"); len(kept) != 1 || len(dropped) != 0 {
			t.Errorf("kept %q, dropped %q", kept, dropped)
		}
		for i := range slots {
			if i%97 == 0 && f.raw("EXISTS", f.Store.digestsOf(renamed, i)) != int64(0) {
				t.Fatalf("the digests of slot %d are still there", i)
			}
		}
	})
}

// TestWithoutDigestsOnlyEqualSourcesAreDeleted deletes what another tool has
// carried over: sources that are still what their targets are.
func TestWithoutDigestsOnlyEqualSourcesAreDeleted(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		names := f.everySort()
		if _, err := f.through(Copy{Layout: renamed}, 1000); err != nil {
			t.Fatal(err)
		}
		f.raw("APPEND", f.Store.full("new:"+names[0]+":s"), "later")
		f.raw("DEL", f.Store.full("new:"+names[1]+":h"))
		f.raw("PEXPIRE", f.Store.full("old:"+names[2]+":s"), 3_600_000)
		_, err := f.through(DeleteSources{Layout: renamed}, 1000)
		left, ok := errors.AsType[*UnprovenError](err)
		if !ok {
			t.Fatalf("%v (%T)", err, err)
		}
		want := []string{"old:" + names[0] + ":s", "old:" + names[1] + ":h", "old:" + names[2] + ":s"}
		slices.Sort(want)
		if got := f.below("old:*"); !slices.Equal(left.Keys, want) || len(got) != len(want) {
			t.Errorf("left are %q, named %q, want %q", got, left.Keys, want)
		}
	})
}

// TestACutoverThatAnotherToolHasMade was never made here: only equal sources go,
// and nothing copies over the targets any more.
func TestACutoverThatAnotherToolHasMade(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		for _, name := range []string{"a", "b"} {
			f.raw("SET", f.Store.full("old:"+name), "1")
			f.raw("SET", f.Store.full("new:"+name), "1")
		}
		f.raw("SET", f.Store.full("new:b"), "2")
		_, err := f.through(DeleteSources{Layout: renamed, Live: true}, 100)
		wantText(t, err, "1 source stays", "old:b")
		if got := f.below("old:*"); len(got) != 1 {
			t.Errorf("left are %q", got)
		}
		_, err = f.through(Copy{Layout: renamed, Live: true}, 100)
		if !errors.As(err, new(*CutOverError)) {
			t.Errorf("%v (%T), want that nothing is copied any more", err, err)
		}
	})
}

func TestUncoveredKeysBlockDeleting(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		names := f.sealed()
		for _, key := range []string{"other:1", "odd:1"} {
			f.raw("SET", f.Store.full(key), "1")
			_, err := f.through(DeleteSources{Layout: renamed}, 1000)
			if !errors.As(err, new(*UncoveredError)) {
				t.Errorf("%v (%T)", err, err)
			}
			wantText(t, err, key, "nothing was deleted")
			f.raw("DEL", f.Store.full(key))
		}
		if got := len(f.below("old:*")); got != 7*len(names) {
			t.Errorf("%d sources are left", got)
		}
	})
}

func TestWhatDiffersIsNotSealed(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		names := f.everySort()
		if _, err := f.through(Copy{Layout: renamed}, 1000); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			key         string
			spoil, mend []any
		}{
			{"old:" + names[0] + ":s", []any{"APPEND", f.Store.full("old:" + names[0] + ":s"), "x"}, []any{"SET", f.Store.full("old:" + names[0] + ":s"), "a\x00b\xff"}},
			{"old:" + names[2] + ":s", []any{"PEXPIRE", f.Store.full("old:" + names[2] + ":s"), "100000"}, []any{"PERSIST", f.Store.full("old:" + names[2] + ":s")}},
			{"old:" + names[4] + ":bits", []any{"DEL", f.Store.full("new:" + names[4] + ":bits")}, nil},
		} {
			f.raw(c.spoil...)
			_, err := f.through(Seal{renamed}, 1000)
			if !errors.As(err, new(*DivergedError)) {
				t.Errorf("%v (%T)", err, err)
			}
			wantText(t, err, "(1 in this stretch)", c.key)
			if c.mend != nil {
				f.raw(c.mend...)
			}
		}
	})
}
