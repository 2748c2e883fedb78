package testserver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// startRedisCluster starts three masters that share the slots evenly. It is
// called with f locked.
func (f *fleet) startRedisCluster() ([]*RedisServer, error) {
	var servers []*RedisServer
	for range 3 {
		server, err := f.startRedisNode()
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i, server := range servers {
		if err := server.join(ctx, i, servers); err != nil {
			return nil, fmt.Errorf("make a cluster: %w", err)
		}
	}
	return servers, awaitCluster(ctx, servers)
}

func (f *fleet) startRedisNode() (*RedisServer, error) {
	bus, err := freePort()
	if err != nil {
		return nil, err
	}
	return f.startRedis("redis-server", "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus),
		"--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000")
}

// join gives the server its third of the slots and introduces it to the first.
func (s *RedisServer) join(ctx context.Context, i int, all []*RedisServer) error {
	const slots = 16384
	client := s.Client()
	defer client.Close()
	err := errors.Join(
		client.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(),
		client.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", i*slots/len(all), (i+1)*slots/len(all)-1).Err(),
	)
	if i == 0 || err != nil {
		return err
	}
	first := all[0]
	return client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", first.Port, first.args[3]).Err()
}

// awaitCluster waits until every server knows the owner of every slot.
func awaitCluster(ctx context.Context, servers []*RedisServer) error {
	for _, server := range servers {
		client := server.Client()
		err := awaitNode(ctx, client, len(servers))
		if err := errors.Join(err, client.Close()); err != nil {
			return fmt.Errorf("wait for the cluster: %w", err)
		}
	}
	return nil
}

func awaitNode(ctx context.Context, client *redis.Client, masters int) error {
	for {
		info, err := client.ClusterInfo(ctx).Result()
		if err != nil {
			return err
		}
		if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_size:%d", masters)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", ctx.Err(), info)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
