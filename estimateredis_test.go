package stopover

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/store"
)

// TestBigKeysOfRedisAreAnnounced plans a copy between slots, and makes it.
func TestBigKeysOfRedisAreAnnounced(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{servers[0].Addr()}})
	defer func() { _ = client.Close() }()
	var mu sync.Mutex
	var warnings []string
	a, err := Open(Config{
		Kinds: []store.Kind{redis.Kind()}, Operator: "tester",
		Events: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == wire.EventWarning {
				warnings = append(warnings, e.Step+" "+e.Text)
			}
		},
		Files: fstest.MapFS{
			"stopover.yaml": {Data: []byte("application: shop\nstores:\n  main: {url: \"" + servers[0].URL() + "\", prefix: \"shop:\", cluster: \"true\"}\n")},
			"migrations/main/0002_tags.yaml": {Data: []byte(`backfill:
  offline: true
  copy:
    - {from: "cart:<id:[^:{}]+>", to: "basket:{<id>}"}
`)},
		},
		Migrations: []Migration{{Store: "main", Name: "0001_begin", Steps: []Step{{Kind: Expand, Version: "1",
			Do: redis.Script("begin", "return 0", []string{"{shop}:rest"})}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if _, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "main:0001_begin"}}); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"shop:cart:1": "x", "shop:cart:2": strings.Repeat("x", 9<<20), "shop:rest": "y"} {
		if err := client.Set(context.Background(), key, value, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	doc, err := a.Plan(wait(t), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, action := range doc.Way.Legs[0].Actions {
		if e := action.Estimate; action.Step == "backfill" {
			seen = true
			if e == nil || e.Rows != 2 || e.Memory < 9<<20 || !strings.Contains(e.Note, "cart:2 (") {
				t.Errorf("the backfill is foreseen as %+v", e)
			}
		}
	}
	if !seen {
		t.Fatalf("no backfill: %+v", doc.Way)
	}
	if _, err := a.Apply(wait(t), ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(warnings) != 1 || !strings.Contains(warnings[0], "backfill a big key") || !strings.Contains(warnings[0], "cart:2 (") {
		t.Errorf("warnings: %q", warnings)
	}
}
