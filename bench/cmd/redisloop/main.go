// Command redisloop does by hand what Stopover's steps do with the keys of a
// Redis store, to be compared with. It looks at no lease and no guard, records
// nothing, and believes that nothing goes wrong on the way:
//
//	redisloop copy URL      COPY of each source, in pipelines of 100
//	redisloop restore URL.. DUMP and PTTL of each source where it is, RESTORE of
//	                        the target where that belongs
//	redisloop compare URL.. DUMP and PEXPIRETIME of both keys of each pair, compared
//	                        here; pairs with other bytes by HGETALL once more; and
//	                        are there as many targets as sources?
//	redisloop rewrite URL   HMGET of each hash, HSET of what changes
//
// All go over the keys with SCAN, 1,000 at a time, and hand batches of 100 to two
// workers. One URL is a server, several are the masters of a cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

const (
	scanned = 1000
	batch   = 100
	workers = 2
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "redisloop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: redisloop copy|restore|compare|rewrite URL..")
	}
	client, err := connect(args[1:])
	if err != nil {
		return err
	}
	switch args[0] {
	case "copy":
		err = each(ctx, client, isSource, copied)
	case "restore":
		err = each(ctx, client, isSource, restored)
	case "compare":
		err = compare(ctx, client)
	case "rewrite":
		err = each(ctx, client, isRecord, rewritten)
	default:
		err = fmt.Errorf("%q is none of copy, restore, compare, rewrite", args[0])
	}
	return errors.Join(err, client.Close())
}

func connect(urls []string) (goredis.UniversalClient, error) {
	options := &goredis.UniversalOptions{IsClusterMode: len(urls) > 1, Protocol: 2, DisableIdentity: true}
	for _, url := range urls {
		one, err := goredis.ParseURL(url)
		if err != nil {
			return nil, err
		}
		options.Addrs = append(options.Addrs, one.Addr)
	}
	return goredis.NewUniversalClient(options), nil
}

// prefix begins all keys.
const prefix = "tenant:"

// target gives the new name of a key: tenant:ID to tenant:{ID}:tenant,
// tenant:ID:REST to tenant:{ID}:REST.
func target(key string) string {
	id, rest, found := strings.Cut(key[len(prefix):], ":")
	if !found {
		rest = "tenant"
	}
	return prefix + "{" + id + "}:" + rest
}

// isSource tells an old name from a new one.
func isSource(key string) bool { return !strings.HasPrefix(key[len(prefix):], "{") }

// isRecord tells tenants and destinations from the lists of destinations.
func isRecord(key string) bool { return isSource(key) && !strings.HasSuffix(key, ":destinations") }

// each hands the keys that are wanted to the workers, in batches.
func each(ctx context.Context, client goredis.UniversalClient, wanted func(string) bool,
	work func(context.Context, goredis.UniversalClient, []string) error,
) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	batches := make(chan []string)
	errs := make([]error, workers+1)
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			for keys := range batches {
				if errs[i] = work(ctx, client, keys); errs[i] != nil {
					stop()
					return
				}
			}
		})
	}
	errs[workers] = scan(ctx, client, wanted, batches)
	close(batches)
	group.Wait()
	return errors.Join(errs...)
}

// scan goes over one master after the other.
func scan(ctx context.Context, client goredis.UniversalClient, wanted func(string) bool, batches chan<- []string) error {
	over := func(ctx context.Context, node *goredis.Client) error {
		var keys []string
		for cursor := uint64(0); ; {
			found, next, err := node.Scan(ctx, cursor, prefix+"*", scanned).Result()
			if err != nil {
				return err
			}
			for _, key := range found {
				if wanted(key) {
					keys = append(keys, key)
				}
			}
			for len(keys) >= batch || next == 0 && len(keys) > 0 {
				n := min(batch, len(keys))
				select {
				case batches <- keys[:n:n]:
					keys = keys[n:]
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	cluster, ok := client.(*goredis.ClusterClient)
	if !ok {
		return over(ctx, client.(*goredis.Client))
	}
	var one sync.Mutex // the client would have its masters scanned at once
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error {
		one.Lock()
		defer one.Unlock()
		return over(ctx, node)
	})
}
