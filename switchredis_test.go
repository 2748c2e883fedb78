package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// cartSite is a prefix whose keys get new names: 1.5 counts in the old ones, 1.6 in
// the new ones, each as a user of its own, and nothing can write both.
type cartSite struct {
	dir    string
	server *testserver.RedisServer
}

func newCartSite(t *testing.T) cartSite {
	t.Helper()
	server := testserver.OwnRedis(t)
	s := cartSite{dir: t.TempDir(), server: server}
	for name, text := range map[string]string{
		"stopover.yaml": "application: shop\nstores:\n  main: {url: \"" + server.URL() + `", prefix: "shop:", fence: {api: {login: "api-{release}"}}, clients: {ignore: [api-1_5, api-1_6, default]}}
components:
  api: {main: rw}
releases: ["1.5", "1.6"]
`,
		"migrations/main/0001_begin.yaml": `backfill:
  offline: true
  needs: "1.5"
  copy:
    - {from: "basket:<id:[^:{}]+>", to: "basket:{<id>}"}
`,
		"migrations/main/0002_tags.yaml": `backfill:
  copy:
    - {from: "cart:<id:[^:{}]+>", to: "cart:{<id>}"}
verify: full
cutover: {needs: "1.6", fence: acl}
contract: {readers: "1.6", writers: "1.6", delete: sources}
`,
	} {
		file := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.refill(t)
	return s
}

// refill makes the store as 1.5 has it.
func (s cartSite) refill(t *testing.T) {
	t.Helper()
	s.server.Do(t, "FLUSHALL")
	for _, release := range []string{"1.5", "1.6"} {
		s.server.Do(t, "ACL", "SETUSER", userOf(release), "reset", "on", ">pass"+release, "~shop:*", "+@all")
	}
	redisErrands(t, s.dir, "adopt main:0001_begin")
}

// as gives a client of a release.
func (s cartSite) as(t *testing.T, release string) *goredis.Client {
	t.Helper()
	options := *s.server.Client().Options()
	options.Username, options.Password, options.MaxRetries = userOf(release), "pass"+release, -1
	client := goredis.NewClient(&options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

const cartKeys = 500

// purchases are counters that a release increments, each by one goroutine.
type purchases struct {
	made  [cartKeys]atomic.Int64
	all   atomic.Int64
	halt  atomic.Bool
	group sync.WaitGroup
	shut  atomic.Int64 // writers that were refused
}

func (p *purchases) buy(t *testing.T, client *goredis.Client, name string) {
	const writers = 4
	for n := range writers {
		p.group.Go(func() {
			for i := n; !p.halt.Load(); i = (i + writers) % cartKeys {
				err := client.HIncrBy(context.Background(), fmt.Sprintf(name, i), "n", 1).Err()
				if err != nil && (strings.HasPrefix(err.Error(), "NOPERM") || cut(err)) {
					p.shut.Add(1)
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				p.made[i].Add(1)
				p.all.Add(1)
			}
		})
	}
}

// cut tells a connection that was ended: nothing was under way on it, since a
// server performs what it has read before it ends one.
func cut(err error) bool {
	return !errors.As(err, new(goredis.Error)) && (strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "broken pipe"))
}

func (p *purchases) end() {
	p.halt.Store(true)
	p.group.Wait()
}

// check compares the new keys with what was acknowledged.
func (p *purchases) check(t *testing.T, s cartSite, what string) {
	t.Helper()
	client := s.server.Client()
	defer func() { _ = client.Close() }()
	wrong := 0
	for i := range p.made {
		got, _ := client.HGet(context.Background(), fmt.Sprintf("shop:cart:{%d}", i), "n").Int64()
		// A writer whose connection is ended may have had one write done that it was not
		// told of.
		if want := p.made[i].Load(); got < want || got > want+1 {
			wrong++
			t.Errorf("%s: cart %d holds %d, and %d were acknowledged", what, i, got, want)
		}
		if wrong > 5 {
			return
		}
	}
}

// TestSwitchOnRedis moves counting releases from one form of keys to the other: the
// old one is shut out as a user of the server, and no count is lost.
func TestSwitchOnRedis(t *testing.T) {
	t.Parallel()
	s := newCartSite(t)
	a, err := Open(testConfig(s.dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	var p purchases
	defer p.end()
	old := join(t, a, "api", "1.5", "old")
	p.buy(t, s.as(t, "1.5"), "shop:cart:%d")
	doc, err := a.Plan(wait(t), PlanOptions{Target: Target{To: "1.6"}})
	if err != nil || doc.Summary.Switches != 1 || !strings.Contains(strings.Join(doc.Notes, "\n"), "main 0002_tags.cutover: apply --switch shuts out api-1_5") {
		t.Fatalf("the plan: %+v, %v", doc.Notes, err)
	}
	report, err := a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}})
	if err != nil || report.Exit != ExitStop || len(report.Did) != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	before := p.all.Load()
	eventually(t, func() bool { return p.all.Load() > before+500 })
	report, err = a.Apply(wait(t), ApplyOptions{Target: Target{To: "1.6"}, Switch: true})
	if err != nil || len(report.Did) != 1 || report.Did[0].Step != "cutover" {
		t.Fatalf("%+v, %v", report, err)
	}
	p.group.Wait() // all were shut out
	p.check(t, s, "behind the switch")
	if _, err := s.as(t, "1.5").HGetAll(wait(t), "shop:cart:1").Result(); err != nil {
		t.Errorf("the old release cannot read any more: %v", err)
	}
	old.Leave(wait(t))
	p.buy(t, s.as(t, "1.6"), "shop:cart:{%d}")
	now := p.all.Load()
	eventually(t, func() bool { return p.all.Load() > now+500 })
	if _, err := a.Cleanup(wait(t), CleanupOptions{Fleet: map[string][]string{"api": {"1.6"}}}); err != nil {
		t.Fatal(err)
	}
	p.end()
	p.check(t, s, "behind the cleanup")
	if left, renamed := carts(t, s.server); left != 0 || renamed != cartKeys {
		t.Errorf("%d old and %d new keys are there", left, renamed)
	}
	if err := s.as(t, "1.5").Set(wait(t), "shop:cart:1", 1, 0).Err(); err != nil {
		t.Errorf("the fence is left: %v", err)
	}
}

// TestSwitchOnRedisIsKilled kills the switch at every second point of writing notes. The
// next one finishes it: no count is lost, the old release stays shut out, and what the
// new one has written is not written over.
func TestSwitchOnRedisIsKilled(t *testing.T) {
	t.Parallel()
	s := newCartSite(t)
	for at := 3; ; at += 2 {
		s.refill(t)
		var p purchases
		p.buy(t, s.as(t, "1.5"), "shop:cart:%d")
		eventually(t, func() bool { return p.all.Load() > cartKeys })
		exit, killed := start(t, errand{Dir: s.dir, Command: "switch", KillAt: at, TTL: shortTTL}).end()
		if !killed && exit != 0 {
			t.Fatalf("killed at point %d: it ended with %d", at, exit)
		}
		cfg := testConfig(s.dir)
		cfg.leaseTTL = shortTTL
		if err := carryOut(cfg, "switch"); err != nil {
			t.Fatalf("killed at point %d: the next one: %v", at, err)
		}
		p.group.Wait()
		p.check(t, s, fmt.Sprintf("killed at point %d", at))
		p.buy(t, s.as(t, "1.6"), "shop:cart:{%d}")
		now := p.all.Load()
		eventually(t, func() bool { return p.all.Load() > now+100 })
		p.end()
		redisErrands(t, s.dir, "cleanup-of 1.6")
		p.check(t, s, fmt.Sprintf("killed at point %d, behind the cleanup", at))
		if left, _ := carts(t, s.server); left != 0 {
			t.Fatalf("killed at point %d: %d sources are left", at, left)
		}
		if !killed {
			if at < 10 {
				t.Fatalf("only %d points: this test proves nothing", at)
			}
			return
		}
	}
}

// userOf is what {login: "api-{release}"} makes of a release.
func userOf(release string) string { return "api-" + strings.ReplaceAll(release, ".", "_") }
