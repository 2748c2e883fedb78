package stopover

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/redis"
	"github.com/stopover-dev/stopover/store"
)

// redisSite is a project on Redis, a server or a cluster, whose files copy keys,
// verify them, rewrite values and delete the old keys.
type redisSite struct {
	t       *testing.T
	dir     string
	servers []*testserver.RedisServer
	nodes   []*goredis.Client
	client  goredis.UniversalClient
}

// killCarts is how many keys each phase goes over.
const killCarts = 1500

// redisPhase is a part of the way, as a command. It has reached a key, or so many,
// when its mark says so.
type redisPhase struct {
	name, command string
	reached       func(s *redisSite, n, before int64) bool
}

var redisPhases = []redisPhase{
	{"copy", "offline main:0002_tags.backfill", func(s *redisSite, n, _ int64) bool {
		return s.client.Exists(context.Background(), fmt.Sprintf("shop:cart:{%d}", n)).Val() == 1
	}},
	{"verify", "offline main:0002_tags", func(s *redisSite, n, before int64) bool {
		return s.size()-before > n/2 // keys with digests, of which some have two
	}},
	{"rewrite", "offline main:0003_times", func(s *redisSite, n, _ int64) bool {
		return s.client.HExists(context.Background(), fmt.Sprintf("shop:time:%d", n), "email").Val()
	}},
	{"cleanup", "cleanup-of 1.6", func(s *redisSite, n, _ int64) bool {
		return s.client.Exists(context.Background(), fmt.Sprintf("shop:cart:%d", n)).Val() == 0
	}},
}

func newRedisSite(t *testing.T, servers []*testserver.RedisServer) *redisSite {
	t.Helper()
	s := &redisSite{t: t, dir: renames(t, servers[0]), servers: servers}
	addrs := make([]string, len(servers))
	cluster := ""
	for i, server := range servers {
		addrs[i] = server.Addr()
		s.nodes = append(s.nodes, server.Client())
		t.Cleanup(func() { _ = s.nodes[i].Close() })
	}
	s.client = goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: addrs, Protocol: 2, IsClusterMode: len(servers) > 1})
	t.Cleanup(func() { _ = s.client.Close() })
	if len(servers) > 1 {
		cluster = `, cluster: "true"`
	}
	s.write("stopover.yaml", "application: shop\nstores:\n  main: {url: \""+servers[0].URL()+`", prefix: "shop:"`+cluster+`, clients: {ignore: [default]}}
components:
  api: {main: rw}
releases: ["1.5", "1.6"]
`)
	s.write("migrations/main/0002_tags.yaml", `backfill:
  offline: true
  needs: "1.6"
  copy:
    - {from: "cart:<id:[^:{}]+>", to: "cart:{<id>}"}
  keep: ["time:<id>", "odd:<id>"]
  drop: ["cache:<id>"]
verify: full
contract: {readers: "1.6", writers: "1.6", delete: sources}
`)
	s.write("migrations/main/0003_times.yaml", `backfill:
  offline: true
  needs: "1.6"
  rewrite:
    - {keys: "time:<id>", set: {at: "unixms(at)"}, rename: {mail: email}, unconvertible: quarantine, quarantine: "odd:<id>"}
verify: full
`)
	return s
}

func (s *redisSite) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// begin makes the keys of the old release on empty servers, and adopts them.
func (s *redisSite) begin() {
	s.t.Helper()
	for _, server := range s.servers {
		server.Do(s.t, "FLUSHALL")
	}
	ctx := context.Background()
	pipe := s.client.Pipeline()
	end := time.UnixMilli(4_000_000_000_123)
	for i := range killCarts {
		key := fmt.Sprintf("shop:cart:%d", i)
		pipe.Set(ctx, key, i, 0)
		if i%3 == 0 {
			pipe.PExpireAt(ctx, key, end)
		}
	}
	for i := range killCarts {
		at := "1970-01-01T00:00:01.5Z"
		if i%100 == 7 {
			at = "yesterday"
		}
		pipe.HSet(ctx, fmt.Sprintf("shop:time:%d", i), "at", at, "mail", i)
	}
	pipe.Set(ctx, "shop:cache:1", "c", 0)
	if _, err := pipe.Exec(ctx); err != nil {
		s.t.Fatal(err)
	}
	redisErrands(s.t, s.dir, "adopt main:0001_begin")
}

// size counts all keys.
func (s *redisSite) size() (n int64) {
	for _, client := range s.nodes {
		n += client.DBSize(context.Background()).Val()
	}
	return n
}

// killed performs a phase in a process of its own, and kills it when the phase has
// reached n. It tells whether the process was still there.
func (s *redisSite) killed(phase redisPhase, n int64) bool {
	s.t.Helper()
	before := s.size()
	p := start(s.t, errand{Dir: s.dir, Command: phase.command, TTL: shortTTL})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range p.told {
		}
	}()
	for !phase.reached(s, n, before) {
		select {
		case <-ended:
			_, killed := p.end()
			return killed
		default:
		}
	}
	_ = p.Process.Kill()
	_, killed := p.end()
	return killed
}

// picture gives what every key holds and when it ends, without Stopover's own.
func (s *redisSite) picture() []string {
	s.t.Helper()
	ctx := context.Background()
	var lines []string
	for _, client := range s.nodes {
		keys, err := client.Keys(ctx, "*").Result()
		if err != nil {
			s.t.Fatal(err)
		}
		pipe := client.Pipeline()
		ends := make([]*goredis.DurationCmd, len(keys))
		texts := make([]*goredis.StringCmd, len(keys))
		hashes := make([]*goredis.MapStringStringCmd, len(keys))
		for i, key := range keys {
			ends[i], texts[i], hashes[i] = pipe.PExpireTime(ctx, key), pipe.Get(ctx, key), pipe.HGetAll(ctx, key)
		}
		_, _ = pipe.Exec(ctx) // a key is a text or a hash: one of the two fails
		for i, key := range keys {
			if !strings.Contains(key, ":stopover") {
				lines = append(lines, fmt.Sprint(key, " ", texts[i].Val(), " ", hashes[i].Val(), " ", ends[i].Val()))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// TestRedisIsKilledAtSeededMoments kills the process when it has just reached a
// key, in copy, verify, rewrite and
// cleanup. The next run of the same command finishes without anybody's help, and
// the keys are those of a run that nobody killed.
func TestRedisIsKilledAtSeededMoments(t *testing.T) {
	for name, c := range map[string]struct {
		lives   int // each with a kill in every phase
		servers []*testserver.RedisServer
	}{
		"standalone": {3, []*testserver.RedisServer{testserver.OwnRedis(t)}},
		"cluster":    {2, testserver.OwnRedisCluster(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newRedisSite(t, c.servers)
			s.begin()
			for _, phase := range redisPhases {
				redisErrands(t, s.dir, phase.command)
			}
			want := s.picture()
			if len(want) != 2*killCarts+killCarts/100 {
				t.Fatalf("%d keys are there after an uninterrupted run", len(want))
			}
			random := rand.New(rand.NewPCG(5, uint64(len(c.servers))))
			for range c.lives {
				s.begin()
				var moments []string
				for _, phase := range redisPhases {
					n := random.Int64N(killCarts)
					moments = append(moments, fmt.Sprintf("%s at %d: %t", phase.name, n, s.killed(phase, n)))
					redisErrands(t, s.dir, phase.command)
				}
				t.Logf("%q", moments)
				if got := s.picture(); !slices.Equal(got, want) {
					t.Fatalf("%q: %d keys are there, of an uninterrupted run %d, and they are not the same", moments, len(got), len(want))
				}
				if line, _ := contractLine(t, s.dir); !line.IsDone() {
					t.Errorf("%q: the contract's line is %+v", moments, line)
				}
			}
		})
	}
}

// TestALateHolderLeavesTheNextOneAlone lets a holder of the lease stop for longer
// than it lives, and give it back when another has it: that one keeps it.
func TestALateHolderLeavesTheNextOneAlone(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"standalone": {testserver.Redis(t)}, "cluster": testserver.RedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asleep := &sleeper{Store: openRedis(t, servers, "late:")}
			if err := asleep.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			late, err := book.Acquire(t.Context(), asleep, book.Ask{Host: "late", TTL: shortTTL})
			if err != nil {
				t.Fatal(err)
			}
			asleep.stop.Lock() // no renewal goes through
			next, err := book.Acquire(t.Context(), openRedis(t, servers, "late:"), book.Ask{Host: "next", TTL: time.Hour, Wait: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer next.Release()
			asleep.stop.Unlock()
			late.Release()
			_, err = book.Acquire(t.Context(), openRedis(t, servers, "late:"), book.Ask{Host: "third", TTL: time.Hour})
			held := (*book.HeldError)(nil)
			if !errors.As(err, &held) || held.Holder.Host != "next" {
				t.Errorf("a third one: %v", err)
			}
		})
	}
}

// sleeper is a store whose writes wait while it is stopped.
type sleeper struct {
	store.Store
	stop sync.Mutex
}

func (s *sleeper) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	s.stop.Lock()
	defer s.stop.Unlock()
	return s.Store.Swap(ctx, guard, set...)
}

func openRedis(t *testing.T, servers []*testserver.RedisServer, prefix string) store.Store {
	t.Helper()
	settings := store.Settings{Name: "main", URL: servers[0].URL(), Options: map[string]string{"prefix": prefix, "cluster": fmt.Sprint(len(servers) > 1)}}
	st, err := redis.Kind().Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}
