package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/redis"
)

// names is the step before all others: 001_hash_tags takes "a:destinations" for
// the destinations of the tenant "a", never for a tenant of that name. A tenant's
// record holds its id, so it can be told whether one has such a name.
func names() stopover.Migration {
	return stopover.Migration{Store: "outpost", Name: "000_names", Steps: []stopover.Step{{
		Kind: stopover.Verify, Version: "1",
		Do: redis.Query("tenants whose keys read like those of another tenant's destinations", misread),
	}}}
}

// misread reports tenants that would be taken for something else.
func misread(ctx context.Context, reader *redis.Reader, report func(string)) error {
	const readers = 16
	var cursor []byte
	for done := false; !done; {
		keys, next, end, err := reader.Scan(ctx, "*", cursor, 1000)
		if err != nil {
			return err
		}
		cursor, done = next, end
		work := make(chan string)
		var mu sync.Mutex
		var failed error
		var all sync.WaitGroup
		for range readers {
			all.Go(func() {
				for key := range work {
					is, err := isTenant(ctx, reader, key)
					mu.Lock()
					if err != nil {
						failed = err
					} else if is {
						report(fmt.Sprintf("%q is a tenant, and its name reads like destinations: set it aside under a name that does not begin with tenant:, and put it under its new name after cleanup", key))
					}
					mu.Unlock()
				}
			})
		}
		for _, key := range keys {
			if readsLikeAnother(key) {
				work <- key
			}
		}
		close(work)
		all.Wait()
		if failed != nil {
			return failed
		}
	}
	return nil
}

func readsLikeAnother(key string) bool {
	return !strings.ContainsAny(key, "{}") && (strings.HasSuffix(key, ":destinations") || strings.Contains(key, ":destination:"))
}

// isTenant tells whether the key holds the record of a tenant of that name.
func isTenant(ctx context.Context, reader *redis.Reader, key string) (bool, error) {
	if sort, err := reader.Read(ctx, "TYPE", key); err != nil || sort != "hash" {
		return false, err
	}
	id, err := reader.Read(ctx, "HGET", key, "id")
	return id == key, err
}
