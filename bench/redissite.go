package main

import (
	"context"
	"errors"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/testserver"
)

// tenants are the keys of an application on one Redis server or on the three
// masters of a cluster. For each tenant there are five hashes: itself, the list
// of its destinations, and three destinations; together about 3 kB.
type tenants struct {
	servers []*testserver.RedisServer
	nodes   []*goredis.Client // one for each server
	client  goredis.UniversalClient
	n       int // tenants
}

const (
	tenantPrefix  = "tenant:"
	tenantBooks   = "tenant:{tenant}:stopover"
	tenantsOfPart = 100_000
)

// openTenants starts servers and fills them with the keys of n tenants.
func (s *site) openTenants(ctx context.Context, cluster bool, n int) (*tenants, error) {
	t := &tenants{n: n}
	var err error
	if cluster {
		t.servers, err = testserver.StartRedisCluster(s.fast)
	} else {
		var server *testserver.RedisServer
		server, err = testserver.StartRedis(s.fast)
		t.servers = []*testserver.RedisServer{server}
	}
	if err != nil {
		return nil, err
	}
	var addrs []string
	for _, server := range t.servers {
		t.nodes, addrs = append(t.nodes, server.Client()), append(addrs, server.Addr())
	}
	t.client = goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: addrs, IsClusterMode: cluster, Protocol: 2, DisableIdentity: true})
	info, err := t.nodes[0].InfoMap(ctx, "server").Result()
	if err == nil {
		s.redis = info["Server"]["redis_version"]
		err = t.fill(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *tenants) close() error {
	errs := []error{t.client.Close()}
	for i, node := range t.nodes {
		errs = append(errs, node.Close(), t.servers[i].Stop())
	}
	return errors.Join(errs...)
}

func (t *tenants) cluster() bool { return len(t.servers) > 1 }

// keys is how many there are, and records how many of them have fields that a
// rewriting changes.
func (t *tenants) keys() int    { return 5 * t.n }
func (t *tenants) records() int { return 4 * t.n }

func (t *tenants) where() string {
	if t.cluster() {
		return "three masters"
	}
	return "one server"
}

func (t *tenants) urls() []string {
	var all []string
	for _, server := range t.servers {
		all = append(all, server.URL())
	}
	return all
}

// each goes over the keys of every server, a thousand at a time.
func (t *tenants) each(ctx context.Context, do func(node *goredis.Client, keys []string) error) error {
	for _, node := range t.nodes {
		for cursor := uint64(0); ; {
			keys, next, err := node.Scan(ctx, cursor, tenantPrefix+"*", 1000).Result()
			if err == nil {
				err = do(node, keys)
			}
			if err != nil {
				return err
			}
			if cursor = next; cursor == 0 {
				break
			}
		}
	}
	return nil
}

// reset deletes all keys but the old names, and gives how many new names of the
// application there were. Stopover's books and guards go with them.
func (t *tenants) reset(ctx context.Context) (targets int, err error) {
	err = t.each(ctx, func(node *goredis.Client, keys []string) error {
		pipe := node.Pipeline()
		for _, key := range keys {
			if strings.HasPrefix(key[len(tenantPrefix):], "{") {
				if !strings.Contains(key, "}:stopover") {
					targets++
				}
				pipe.Unlink(ctx, key)
			}
		}
		if pipe.Len() == 0 {
			return nil
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	return targets, err
}
