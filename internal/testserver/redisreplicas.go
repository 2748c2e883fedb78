package testserver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// OwnRedisClusterWithReplicas starts a cluster for one test that means to do it
// harm: three masters, and behind them one replica of each in the same order.
// It takes about 2 s.
func OwnRedisClusterWithReplicas(t testing.TB) []*RedisServer {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	servers, err := running.startRedisCluster()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, master := range servers[:3] {
		replica, err := running.startReplica(ctx, master)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, replica)
	}
	for _, replica := range servers[3:] {
		if err := replica.awaitRole(ctx, "slave", "connected"); err != nil {
			t.Fatal(err)
		}
	}
	if err := awaitView(ctx, servers, func(view string) bool {
		return strings.Count(view, " slave ")+strings.Count(view, "myself,slave ") == 3
	}); err != nil {
		t.Fatal(err)
	}
	return servers
}

// startReplica is called with f locked.
func (f *fleet) startReplica(ctx context.Context, master *RedisServer) (*RedisServer, error) {
	replica, err := f.startRedisNode()
	if err != nil {
		return nil, err
	}
	id, err := master.myID(ctx)
	if err != nil {
		return nil, err
	}
	client := replica.Client()
	defer client.Close()
	if err := client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", master.Port, master.args[3]).Err(); err != nil {
		return nil, fmt.Errorf("introduce a replica: %w", err)
	}
	return replica, until(ctx, "the replica knows its master", func() error {
		return client.Do(ctx, "CLUSTER", "REPLICATE", id).Err()
	})
}

// Failover makes a replica the master in its master's place, as an operator
// does, and returns when all of the servers say so. The masters vote for
// replicas of one master only every 4 s, so that to take it back at once may
// take 10 s.
func Failover(t testing.TB, replica *RedisServer, servers []*RedisServer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	client := replica.Client()
	defer client.Close()
	var ordered time.Time
	if err := until(ctx, "the replica is the master", func() error {
		role, err := client.Do(ctx, "ROLE").Slice()
		if err != nil || role[0] == "master" {
			return err
		}
		if time.Since(ordered) > 6*time.Second { // an attempt ends after 5 s
			ordered = time.Now()
			err = client.Do(ctx, "CLUSTER", "FAILOVER").Err()
		}
		return errors.Join(errors.New("it is not yet"), err)
	}); err != nil {
		t.Fatal(err)
	}
	if err := awaitMaster(ctx, replica, servers); err != nil {
		t.Fatal(err)
	}
}

// AwaitMaster waits until a server is a master and all of the servers say so:
// the replica of one that was killed.
func AwaitMaster(t testing.TB, server *RedisServer, servers []*RedisServer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := awaitMaster(ctx, server, servers); err != nil {
		t.Fatal(err)
	}
}

func awaitMaster(ctx context.Context, server *RedisServer, servers []*RedisServer) error {
	id, err := server.myID(ctx)
	if err != nil {
		return err
	}
	if err := server.awaitRole(ctx, "master"); err != nil {
		return err
	}
	return awaitView(ctx, servers, func(view string) bool {
		for line := range strings.Lines(view) {
			words := strings.Fields(line)
			if len(words) > 8 && words[0] == id && strings.Contains(words[2], "master") && !strings.Contains(words[2], "fail") {
				return true // a master with slots
			}
		}
		return false
	})
}

// awaitView waits until what each server says of all nodes holds, and each
// takes the cluster for whole.
func awaitView(ctx context.Context, servers []*RedisServer, holds func(string) bool) error {
	for _, server := range servers {
		client := server.Client()
		err := until(ctx, "all servers agree", func() error {
			view, err := client.ClusterNodes(ctx).Result()
			if err != nil {
				return err
			}
			info, err := client.ClusterInfo(ctx).Result()
			if err == nil && (!holds(view) || !strings.Contains(info, "cluster_state:ok")) {
				return fmt.Errorf("%s says:\n%s%s", server.Addr(), view, info)
			}
			return err
		})
		if err := errors.Join(err, client.Close()); err != nil {
			return err
		}
	}
	return nil
}

// awaitRole waits until the answer to ROLE begins with a word and has another.
func (s *RedisServer) awaitRole(ctx context.Context, words ...string) error {
	client := s.Client()
	defer client.Close()
	return until(ctx, "the role of "+s.Addr(), func() error {
		role, err := client.Do(ctx, "ROLE").Slice()
		if err != nil {
			return err
		}
		said := fmt.Sprint(role...)
		for _, word := range words {
			if !strings.Contains(said, word) {
				return fmt.Errorf("the role is %v", role)
			}
		}
		return nil
	})
}

func (s *RedisServer) myID(ctx context.Context) (string, error) {
	client := s.Client()
	defer client.Close()
	return client.Do(ctx, "CLUSTER", "MYID").Text()
}

// until repeats what fails until it does not.
func until(ctx context.Context, what string, attempt func() error) error {
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// AddRedisMaster starts a node without slots and introduces it to a cluster; it
// returns when all of the servers know it.
func AddRedisMaster(t testing.TB, servers []*RedisServer) *RedisServer {
	t.Helper()
	running.mu.Lock()
	defer running.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	server, err := running.startRedisNode()
	if err != nil {
		t.Fatal(err)
	}
	id, err := server.myID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	server.Do(t, "CLUSTER", "MEET", "127.0.0.1", servers[0].Port, servers[0].args[3])
	if err := awaitView(ctx, append([]*RedisServer{server}, servers...), func(view string) bool {
		return strings.Contains(view, id) && !strings.Contains(view, "handshake")
	}); err != nil {
		t.Fatal(err)
	}
	return server
}
