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

// orders is an application whose contract stands open, on a server of its own.
func orders(t *testing.T, url, clients string, events func(Event)) *App {
	t.Helper()
	key := []string{"order"}
	a, err := Open(Config{
		Kinds: []store.Kind{redis.Kind()}, Operator: "tester", Events: events,
		Files: fstest.MapFS{"stopover.yaml": {Data: []byte(`application: shop
stores:
  main: {url: "` + url + `", prefix: "shop:"` + clients + `}
components:
  api: {main: rw}
releases: ["1.6", "1.9"]
`)}},
		Migrations: []Migration{
			{Store: "main", Name: "0001_orders", Steps: []Step{{Kind: Expand, Version: "1", Do: redis.Script("make an order", "return redis.call('SET', KEYS[1], 'new')", key)}}},
			{Store: "main", Name: "0002_drop", Steps: []Step{{Kind: Contract, Version: "1", Writers: "1.9", Readers: "1.9", Do: redis.Script("drop it", "return redis.call('DEL', KEYS[1])", key)}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// reporting keeps a client connected that holds no lease.
func reporting(t *testing.T, server *testserver.RedisServer) {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: server.Addr(), ClientName: "reports"})
	conn := client.Conn()
	t.Cleanup(func() { _, _ = conn.Close(), client.Close() })
	if err := conn.Ping(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
}

// TestUnknownClientOfRedisStopsAContract has a client that holds no lease: the
// contract waits and names it, until it is to be left out of account.
func TestUnknownClientOfRedisStopsAContract(t *testing.T) {
	t.Parallel()
	for name, clients := range map[string]string{"by name": ", clients: {ignore: [reports]}", "by user": ", clients: {ignore: [default]}"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testserver.OwnRedis(t)
			a := orders(t, server.URL(), "", nil)
			if _, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "main:0001_orders"}}); err != nil {
				t.Fatal(err)
			}
			join(t, a, "api", "1.9", "api-1").Leave(wait(t))
			if _, err := a.Attest(wait(t), Statement{Component: "api", Releases: []string{"1.9"}, Reason: "rolled out"}); err != nil {
				t.Fatal(err)
			}
			reporting(t, server)
			report, err := a.Cleanup(wait(t), CleanupOptions{})
			if exitOf(err) != ExitRefused || len(report.Refused) != 1 || !strings.Contains(strings.Join(report.Refused[0].Evidence, "\n"), `"reports" user default`) {
				t.Fatalf("a contract beside a client without a lease: %v, %+v", err, report.Refused)
			}
			doc, err := a.Fleet(wait(t))
			if err != nil || !doc.Stores[0].Lists || len(doc.Stores[0].Unknown) != 1 || doc.Stores[0].Unknown[0].Name != "reports" {
				t.Fatalf("%v, %+v", err, doc.Stores)
			}
			a = orders(t, server.URL(), clients, nil)
			if doc, err = a.Fleet(wait(t)); err != nil || len(doc.Stores[0].Unknown) != 0 || doc.Stores[0].Known == 0 {
				t.Fatalf("ignored: %v, %+v", err, doc.Stores)
			}
			if report, err := a.Cleanup(wait(t), CleanupOptions{}); err != nil {
				t.Fatalf("after it was to be ignored: %v, %+v", err, report.Refused)
			}
		})
	}
}

// TestClientsOfRedisThatMayNotBeListed has a login without CLIENT LIST: the fleet
// says so, and a contract goes by leases and attestations, which it says.
func TestClientsOfRedisThatMayNotBeListed(t *testing.T) {
	t.Parallel()
	server := testserver.OwnRedis(t)
	server.Do(t, "ACL", "SETUSER", "blind", "on", ">canary-blind", "~*", "&*", "+@all", "-client")
	reporting(t, server)
	var mu sync.Mutex
	var warnings []string
	a := orders(t, server.URLAs("blind", "canary-blind"), "", func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == wire.EventWarning {
			warnings = append(warnings, e.Text)
		}
	})
	if _, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "main:0001_orders"}}); err != nil {
		t.Fatal(err)
	}
	doc, err := a.Fleet(wait(t))
	if err != nil || !strings.Contains(doc.Stores[0].Problem, "+client|list") {
		t.Fatalf("%v, %+v", err, doc.Stores)
	}
	if _, err := a.Attest(wait(t), Statement{Component: "api", Releases: []string{"1.9"}, Reason: "rolled out"}); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Cleanup(wait(t), CleanupOptions{}); err != nil {
		t.Fatalf("%v, %+v", err, report.Refused)
	}
	mu.Lock()
	defer mu.Unlock()
	if text := strings.Join(warnings, "\n"); strings.Count(text, "clients without a lease are not seen") != 1 || !strings.Contains(text, "+client|list") {
		t.Errorf("warnings: %q", warnings)
	}
}
