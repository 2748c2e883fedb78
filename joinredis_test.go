package stopover

import (
	"context"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/store"
)

// TestNobodyStartsBelowAFloorOnRedis is the race of TestNobodyStartsBelowAFloor,
// on a store without SQL.
func TestNobodyStartsBelowAFloorOnRedis(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	key := func(name string) []string { return []string{name} }
	a, err := Open(Config{
		Kinds: []store.Kind{redis.Kind()}, Operator: "tester", LockWait: time.Minute,
		Files: fstest.MapFS{"stopover.yaml": {Data: []byte(`application: shop
stores:
  main: {url: "${URL}", prefix: "race:", clients: {ignore: [default]}}
components:
  api: {main: rw}
  worker: {main: rw}
releases: ["1.6", "1.9"]
`)}},
		Lookup: func(string) (string, bool) { return server.URL(), true },
		Migrations: []Migration{
			{Store: "main", Name: "0001_orders", Steps: []Step{{Kind: Expand, Version: "1", Do: redis.Script("make an order", "return redis.call('SET', KEYS[1], 'new')", key("order"))}}},
			{Store: "main", Name: "0002_drop", Steps: []Step{{Kind: Contract, Version: "1", Writers: "1.9", Readers: "1.9", Do: redis.Script("drop it", "return redis.call('DEL', KEYS[1])", key("order"))}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if _, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "main:0001_orders"}}); err != nil {
		t.Fatal(err)
	}
	rounds := 300
	if os.Getenv("STOPOVER_SOAK") != "" { // make soak
		rounds = 2000
	}
	begun := time.Now()
	violations, raised, admitted := race(t, a, rounds, func(ctx context.Context, i *Instance, sights []*sight) error {
		if err := i.enter(ctx, sights[0]); err != nil {
			return err
		}
		return i.admit(ctx)
	})
	t.Logf("%d rounds in %s: %d raised, %d admitted", rounds, time.Since(begun).Round(time.Millisecond), raised, admitted)
	if violations > 0 || raised == 0 || admitted == 0 {
		t.Errorf("%d of %d rounds had an instance below a floor; it was raised %d times, %d instances got in", violations, rounds, raised, admitted)
	}
	naive := func(ctx context.Context, i *Instance, sights []*sight) error { return i.enter(ctx, sights[0]) }
	if violations, _, _ := race(t, a, rounds, naive); violations == 0 {
		t.Error("joiners that do not look again were never found out: this test proves nothing")
	}
}
