package redis

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

// strings makes strings of so many bytes.
func (f fixture) strings(format string, n, bytes int) {
	f.t.Helper()
	value := strings.Repeat("x", bytes)
	for from := 0; from < n; from += 1000 {
		pipe := f.client.Pipeline()
		for i := from; i < min(n, from+1000); i++ {
			pipe.Set(context.Background(), f.Store.full(fmt.Sprintf(format, i)), value, 0)
		}
		if _, err := pipe.Exec(context.Background()); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f fixture) estimate(s *Store, action store.Action) store.Estimate {
	f.t.Helper()
	estimate, err := s.Estimate(f.t.Context(), action)
	if err != nil {
		f.t.Fatal(err)
	}
	return estimate
}

func tagging(t *testing.T) Layout {
	t.Helper()
	layout, err := Templates([]Renaming{{From: "old:<id:[^:{}]+>", To: "new:{<id>}"}}, []string{"other:<id>"}, []string{"drop:<id>"})
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

// near tells a forecast that is off by a fifth at most.
func near(got, want int64) bool { return got >= want*4/5 && got <= want*6/5 }

// TestEstimates counts where there are few keys, and goes by a sample where there
// are many.
func TestEstimates(t *testing.T) {
	rewrite, err := NewRewrite(Rewriting{Keys: "other:<id>", Set: map[string]string{"a": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, servers := range map[string][]*testserver.RedisServer{"one server": {testserver.OwnRedis(t)}, "three masters": testserver.OwnRedisCluster(t)} {
		t.Run(name, func(t *testing.T) {
			f, layout := prepared(t, servers...), tagging(t)
			if e := f.estimate(f.Store, Copy{Layout: layout}); e != (store.Estimate{}) {
				t.Errorf("of nothing: %+v", e)
			}
			f.strings("old:%d", 500, 1000)
			f.strings("other:%d", 300, 10)
			f.strings("drop:%d", 100, 10)
			f.raw("SET", "elsewhere:"+f.Store.prefix+"old:1", 1)
			few := f.estimate(f.Store, Copy{Layout: layout})
			if few.Rows != 500 || !near(few.Memory, 500*1090) || few.Note != "" || few.Took != 0 {
				t.Errorf("of few keys: %+v", few)
			}
			for _, c := range []struct {
				action store.Action
				want   int64
			}{{Seal{Layout: layout}, 500}, {DeleteSources{Layout: layout}, 600}, {rewrite, 300}} {
				if e := f.estimate(f.Store, c.action); e.Rows != c.want || e.Memory != 0 {
					t.Errorf("%T: %+v", c.action, e)
				}
			}
			f.strings("old:%d", 20_000, 1000)
			f.strings("other:%d", 40_000, 10)
			if e := f.estimate(f.Store, Copy{Layout: layout}); !near(e.Rows, 20_000) || !near(e.Memory, 20_000*1090) {
				t.Errorf("of many keys: %+v", e)
			}
		})
	}
}

// TestAnEstimateNamesBigKeys has a key of 12 MB, and a user who may not ask for
// memory.
func TestAnEstimateNamesBigKeys(t *testing.T) {
	f := prepared(t, testserver.OwnRedis(t))
	f.strings("old:%d", 10, 10)
	f.raw("SET", f.Store.full("old:big"), strings.Repeat("x", 12<<20))
	e := f.estimate(f.Store, Copy{Layout: tagging(t)})
	if !strings.Contains(e.Note, "of 11 keys looked at these are: old:big (") {
		t.Errorf("note %q", e.Note)
	}
	f.servers[0].Do(t, "ACL", "SETUSER", "unweighed", "on", ">canary-visitor", "~*", "&*", "+@all", "-memory")
	settings := f.settings
	settings.URL = f.servers[0].URLAs("unweighed", "canary-visitor")
	if e := f.estimate(open(t, settings), Copy{Layout: tagging(t)}); e.Rows != 11 || e.Memory != 0 || e.Note != "" {
		t.Errorf("without MEMORY USAGE: %+v", e)
	}
}
