package redis

import (
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestBigKeysAreNamed copies keys between slots, one of which is over the limit.
func TestBigKeysAreNamed(t *testing.T) {
	f := prepared(t, testserver.RedisCluster(t)...)
	f.strings("old:%d", 10, 10)
	f.raw("SET", f.Store.full("old:big"), strings.Repeat("x", 9<<20))
	f.raw("SET", f.Store.full("old:less"), strings.Repeat("x", 5<<20))
	task := store.Task{Action: Copy{Layout: tagging(t)}, Size: 1000}
	noticed := func() string {
		progress, err := f.Store.Do(t.Context(), task)
		if err != nil {
			t.Fatal(err)
		}
		if !progress.Done {
			t.Fatalf("%+v", progress)
		}
		return strings.Join(progress.Noticed, "\n")
	}
	if lines := noticed(); strings.Count(lines, "a big key") != 1 || !strings.Contains(lines, "old:big (") {
		t.Errorf("noticed %q", lines)
	}
	for _, key := range []string{"new:{big}", "new:{less}"} {
		if f.raw("EXISTS", f.Store.full(key)) != int64(1) {
			t.Errorf("%s was not copied", key)
		}
	}
	f.raw("DEL", f.Store.full("new:{big}"))
	if lines := noticed(); lines != "" {
		t.Errorf("noticed again: %q", lines)
	}

	f.raw("DEL", f.Store.full("new:{big}"))
	f.Store.longestKey = 8 << 20 // for 512 MB there is no room in a test
	_, err := f.Store.Do(t.Context(), task)
	wantText(t, err, "old:big was not copied to new:{big}", "MB of memory", "split it")
	if f.raw("EXISTS", f.Store.full("new:{big}")) != int64(0) {
		t.Error("it was copied all the same")
	}
}
