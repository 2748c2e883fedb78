package redis

import (
	"errors"
	"strconv"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestEveryGuardIsRaised has servers that do not know the script, and a later holder
// that has raised the guard of one slot.
func TestEveryGuardIsRaised(t *testing.T) {
	f := prepared(t, testserver.OwnRedisCluster(t)...)
	for _, server := range f.servers {
		server.Do(t, "SCRIPT", "FLUSH")
	}
	guard := f.note("epoch", store.Absent, "1")
	if err := f.Store.raise(t.Context(), guard.Rev, []store.Note{guard}); err != nil {
		t.Fatal(err)
	}
	pipe := f.client.Pipeline()
	for i := range slots {
		pipe.Get(t.Context(), f.Store.guardOf(i))
	}
	answers, err := pipe.Exec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	raised := map[string]int{}
	for _, answer := range answers {
		raised[answer.(interface{ Val() string }).Val()]++
	}
	if n := raised[strconv.FormatInt(guard.Rev, 10)]; n != slots {
		t.Errorf("%d of %d guards are raised: %v", n, slots, raised)
	}

	for _, of := range []int{0, 5461, slots - 1} { // the first and the last of all, and the first of a master
		f.raw("SET", f.Store.guardOf(of), guard.Rev+1000)
		err = f.another().raise(t.Context(), guard.Rev, []store.Note{guard})
		if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard || conflict.Key != "epoch" {
			t.Errorf("with a later holder's guard in slot %d: %v", of, err)
		}
		f.raw("SET", f.Store.guardOf(of), guard.Rev)
	}
}
