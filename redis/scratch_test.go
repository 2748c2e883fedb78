package redis

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// TestAScratchStoreLeavesNothing makes one beside an application's keys, on a server
// and on a node of a cluster, works on it and gives it up.
func TestAScratchStoreLeavesNothing(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{"one server": {testserver.OwnRedis(t)}, "three masters": testserver.OwnRedisCluster(t)} {
		t.Run(name, func(t *testing.T) {
			f := prepared(t, servers...)
			f.strings("old:%d", 50, 10)
			before := f.everything()

			made, err := Kind().Scratch(t.Context(), store.Settings{Name: "cache", URL: servers[0].URL()})
			if err != nil {
				t.Fatal(err)
			}
			s, _ := store.As[interface {
				store.Store
				Prefix() string
			}](made)
			if err := made.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			scratched := fixture{Store: made.(scratchStore).Store, site: f.site, t: t}
			scratched.strings("old:%d", 3000, 10)
			if survey, err := made.Survey(t.Context()); err != nil || survey.Empty || len(survey.Missing) > 0 {
				t.Errorf("%+v, %v", survey, err)
			}
			guard := scratched.note("epoch", store.Absent, "1")
			for task := (store.Task{Action: Copy{Layout: tagging(t)}, Size: 1000, Guard: []store.Note{guard}}); ; {
				progress, err := made.Do(t.Context(), task)
				if err != nil {
					t.Fatal(err)
				}
				if task.Cursor = progress.Cursor; progress.Done {
					break
				}
			}
			if n := scratched.countBelow(s.Prefix()); n < 6001 {
				t.Errorf("%d keys below %s", n, s.Prefix())
			}
			for range 2 {
				if err := made.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if after := f.everything(); after != before {
				t.Errorf("before there was\n%.2000s\nand afterwards\n%.2000s", before, after)
			}
		})
	}
}

// everything lists all keys of all servers.
func (f fixture) everything() string {
	f.t.Helper()
	var all []string
	for _, server := range f.servers {
		for _, key := range server.Do(f.t, "KEYS", "*").([]any) {
			all = append(all, key.(string))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// countBelow counts the keys of all servers with a prefix.
func (f fixture) countBelow(prefix string) int {
	n := 0
	for _, server := range f.servers {
		n += len(server.Do(f.t, "KEYS", prefix+"*").([]any))
	}
	return n
}

func TestNoServerForAScratchStore(t *testing.T) {
	for _, url := range []string{"", "postgres://127.0.0.1/shop"} {
		if _, err := Kind().Scratch(t.Context(), store.Settings{URL: url}); !errors.Is(err, store.ErrNoScratch) {
			t.Errorf("on %q: %v", url, err)
		}
	}
	_, err := Kind().Scratch(t.Context(), store.Settings{URL: "redis://:canary@127.0.0.1:1"})
	if !errors.As(err, new(*store.UnreachableError)) || strings.Contains(err.Error(), "canary") {
		t.Errorf("on a server that is not there: %v", err)
	}
}
