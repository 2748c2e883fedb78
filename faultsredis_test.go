package stopover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// trial performs a phase; a function is called before its second stretch.
func (s *redisSite) trial(phase redisPhase, harm func(r *trial)) *trial {
	s.t.Helper()
	r := &trial{}
	var stretches atomic.Int64
	cfg := testConfig(s.dir)
	cfg.leaseTTL = 2 * time.Second // a lease that cannot be given back is waited for
	cfg.Kinds = tapped(cfg.Kinds, "redis", &tap{before: func(task store.Task) {
		if task.Action.Shape() == store.Stretched && stretches.Add(1) == 2 {
			harm(r)
		}
	}})
	cfg.Events = func(e Event) {
		r.mu.Lock()
		r.events = append(r.events, e)
		r.mu.Unlock()
	}
	err := carryOut(cfg, phase.command)
	if err != nil && !errors.As(err, &r.failure) {
		s.t.Fatalf("it ended with %T %v", err, err)
	}
	if stretches.Load() < 2 {
		s.t.Fatalf("%s: there was one stretch only", phase.name)
	}
	return r
}

// heard waits until something was told of a word.
func (r *trial) heard(t *testing.T, kind wire.EventKind, word string) {
	t.Helper()
	eventually(t, func() bool { return strings.Contains(r.told(kind), word) })
}

// uninterrupted gives what the keys are after a run into which nothing happened.
func (s *redisSite) uninterrupted() []string {
	s.t.Helper()
	s.begin()
	for _, phase := range redisPhases {
		redisErrands(s.t, s.dir, phase.command)
	}
	return s.picture()
}

// throughAll performs each phase with harm in it, which heal takes away, and wants
// one clear line of each, and that the same command goes on.
func (s *redisSite) throughAll(harm, heal func(), words ...string) {
	s.t.Helper()
	want := s.uninterrupted()
	s.begin()
	for _, phase := range redisPhases {
		r := s.trial(phase, func(*trial) { harm() })
		heal()
		if r.failure == nil {
			s.t.Fatalf("%s went well", phase.name)
		}
		text := fmt.Sprint(r.failure, " ", r.failure.Detail.Hint)
		for _, word := range append(words, "main", s.servers[0].Addr()) {
			if !strings.Contains(text, word) {
				s.t.Errorf("%s: %q is not in: %s", phase.name, word, text)
			}
		}
		if r.failure.Exit != ExitFailed || len(r.failure.Next) == 0 || strings.Contains(strings.TrimSpace(text), "\n") {
			s.t.Errorf("%s: exit %d, next %q, %s", phase.name, r.failure.Exit, r.failure.Next, text)
		}
		redisErrands(s.t, s.dir, phase.command)
	}
	if got := s.picture(); !slices.Equal(got, want) {
		s.t.Errorf("%d keys are there, of an uninterrupted run %d, and they are not the same", len(got), len(want))
	}
}

func TestRedisWithoutMemory(t *testing.T) {
	t.Parallel()
	server := testserver.OwnRedis(t)
	s := newRedisSite(t, []*testserver.RedisServer{server})
	s.throughAll(func() { server.Do(t, "CONFIG", "SET", "maxmemory", "1mb") },
		func() { server.Do(t, "CONFIG", "SET", "maxmemory", "0") }, "maxmemory is reached", "make room")
}

func TestRedisBecomesAReplica(t *testing.T) {
	t.Parallel()
	server := testserver.OwnRedis(t)
	s := newRedisSite(t, []*testserver.RedisServer{server})
	s.throughAll(func() { server.Do(t, "REPLICAOF", "127.0.0.1", "1") },
		func() { server.Do(t, "REPLICAOF", "NO", "ONE") }, "is a replica")
}

func TestRedisThatCannotSave(t *testing.T) {
	t.Parallel()
	server := testserver.OwnRedis(t, "--dbfilename", "taken.rdb")
	s := newRedisSite(t, []*testserver.RedisServer{server})
	dir := fmt.Sprint(server.Do(t, "CONFIG", "GET", "dir").([]any)[1])
	if err := os.MkdirAll(filepath.Join(dir, "taken.rdb", "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	server.Do(t, "CONFIG", "SET", "save", "3600 1000000")
	s.throughAll(func() {
		server.Do(t, "CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
		server.Do(t, "BGSAVE")
		eventually(t, func() bool {
			return strings.Contains(server.Do(t, "INFO", "persistence").(string), "rdb_last_bgsave_status:err")
		})
	}, func() { server.Do(t, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no") }, "cannot save its data to disk", "its log")
}

// goesOn performs each phase with harm in it that passes, and wants each to end
// well in the same run, with the keys of one into which nothing happened. A word
// of what passed is told.
func (s *redisSite) goesOn(word string, harm func(r *trial)) {
	s.t.Helper()
	want := s.uninterrupted()
	s.begin()
	for _, phase := range redisPhases {
		r := s.trial(phase, harm)
		if r.failure != nil {
			s.t.Fatalf("%s: %s %q", phase.name, r.failure, r.told(wire.EventRetry))
		}
		if !strings.Contains(r.told(wire.EventRetry), word) {
			s.t.Errorf("%s: nothing was told of %q, only: %s", phase.name, word, r.told(wire.EventRetry))
		}
	}
	if got := s.picture(); !slices.Equal(got, want) {
		s.t.Errorf("%d keys are there, of an uninterrupted run %d, and they are not the same", len(got), len(want))
	}
}

// TestRedisConnectionsAreCut ends all connections while a stretch is performed.
func TestRedisConnectionsAreCut(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"standalone": {testserver.OwnRedis(t)}, "cluster": testserver.OwnRedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newRedisSite(t, servers)
			s.goesOn("", func(*trial) {
				done := make(chan struct{})
				t.Cleanup(func() { <-done })
				go func() {
					defer close(done)
					for range 20 {
						for _, node := range s.nodes {
							_ = node.ClientKillByFilter(context.Background(), "TYPE", "normal", "SKIPME", "yes").Err() // it may be cut itself
						}
						time.Sleep(2 * time.Millisecond) // the moment does not matter
					}
				}()
			})
		})
	}
}

// TestRedisIsLoading lets the server load its data anew in the middle.
func TestRedisIsLoading(t *testing.T) {
	t.Parallel()
	server := testserver.OwnRedis(t, "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024")
	s := newRedisSite(t, []*testserver.RedisServer{server})
	server.Do(t, "CONFIG", "SET", "key-load-delay", "200")
	s.goesOn("still loading", func(r *trial) {
		loading := make(chan struct{})
		go func() {
			client := server.Client()
			defer func() { _ = client.Close() }()
			close(loading)
			client.Do(context.Background(), "DEBUG", "RELOAD")
		}()
		<-loading
		eventually(t, func() bool {
			client := server.Client()
			defer func() { _ = client.Close() }()
			err := client.Get(context.Background(), "x").Err()
			return err != nil && strings.HasPrefix(err.Error(), "LOADING")
		})
	})
}

// TestRedisSlotsMove moves a slot with keys to another master in the middle of
// each phase.
func TestRedisSlotsMove(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	s := newRedisSite(t, servers)
	const slot = 7616 // of shop:cart:7
	if got := servers[0].Do(t, "CLUSTER", "KEYSLOT", "shop:cart:7"); got != int64(slot) {
		t.Fatalf("the key is in slot %v", got)
	}
	owner := 1
	s.goesOn("being moved", func(r *trial) {
		from, to := servers[owner], servers[(owner+1)%3]
		owner = (owner + 1) % 3
		id := func(server *testserver.RedisServer) any { return server.Do(t, "CLUSTER", "MYID") }
		to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", id(from))
		from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", id(to))
		done := make(chan struct{})
		t.Cleanup(func() { <-done })
		go func() {
			defer close(done)
			r.heard(t, wire.EventRetry, "being moved")
			for _, key := range from.Do(t, "CLUSTER", "GETKEYSINSLOT", slot, 1000).([]any) {
				from.Do(t, "MIGRATE", "127.0.0.1", to.Port, key, 0, 5000)
			}
			to.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", id(to))
			from.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", id(to))
		}()
	})
}

// TestARedisMasterGoesAndComesBack takes a master without a replica away in the
// middle of each phase, with all keys that it has, and starts it again.
func TestARedisMasterGoesAndComesBack(t *testing.T) {
	t.Parallel()
	servers := testserver.OwnRedisCluster(t)
	s := newRedisSite(t, servers)
	away := 0
	s.goesOn("cannot reach", func(r *trial) {
		away++
		server := servers[away%3]
		server.Do(t, "SAVE")
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		done := make(chan struct{})
		t.Cleanup(func() { <-done })
		go func() {
			defer close(done)
			r.heard(t, wire.EventRetry, "cannot reach")
			server.Restart(t)
		}()
	})
}
