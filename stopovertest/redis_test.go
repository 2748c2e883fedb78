package stopovertest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/stopovertest"
	"github.com/stopover-dev/stopover/store"
)

// TestKeysAreRenamed takes a Redis migration over a scratch store, with the keys of
// an application in it.
func TestKeysAreRenamed(t *testing.T) {
	server := testserver.Redis(t)
	cfg := stopover.Config{Kinds: []store.Kind{redis.Kind()}, Files: fstest.MapFS{
		"stopover.yaml": {Data: []byte("stores: {cache: {url: \"${NEVER_OPENED}\", kind: redis, prefix: \"shop:\", migrations: m}}\n")},
		"m/0001_begin.yaml": {Data: []byte(`backfill:
  offline: true
  copy:
    - {from: "basket:<id:[^:{}]+>", to: "basket:{<id>}"}
`)},
		"m/0002_tags.yaml": {Data: []byte(`backfill:
  offline: true
  copy:
    - {from: "cart:<id:[^:{}]+>", to: "cart:{<id>}"}
verify: full
contract: {delete: sources}
`)},
	}}
	k := stopovertest.Open(t, cfg, map[string]string{"cache": server.URL()})
	prefixed, found := store.As[*redis.Store](k.Store("cache"))
	if !found || prefixed.Prefix() == "shop:" {
		t.Fatalf("the scratch store is %T", k.Store("cache"))
	}
	client := server.Client()
	defer func() { _ = client.Close() }()
	k.To("cache:0001_begin")
	for i := range 3 {
		if err := client.Set(context.Background(), fmt.Sprint(prefixed.Prefix(), "cart:", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	k.To("")
	k.Cleanup()
	keys, err := client.Keys(context.Background(), prefixed.Prefix()+"cart:*").Result()
	if err != nil || len(keys) != 3 || strings.Count(strings.Join(keys, " "), "{") != 3 {
		t.Errorf("keys %q, %v", keys, err)
	}
}
