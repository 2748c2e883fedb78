package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// compare fails on the first pair that is not equal, or when there are more
// targets than sources.
func compare(ctx context.Context, client goredis.UniversalClient) error {
	var sources, targets int64
	counted := func(key string) bool {
		if isSource(key) {
			sources++
			return true
		}
		if !strings.Contains(key, "}:stopover") { // those are no keys of the application
			targets++
		}
		return false
	}
	err := each(ctx, client, counted, equal)
	if err == nil && targets != sources {
		err = fmt.Errorf("%d targets of %d sources", targets, sources)
	}
	return err
}

// equal looks at the pairs of a batch.
func equal(ctx context.Context, client goredis.UniversalClient, keys []string) error {
	pipe := client.Pipeline()
	dumps, ends := make([]*goredis.StringCmd, 2*len(keys)), make([]*goredis.DurationCmd, 2*len(keys))
	for i, key := range keys {
		for k, name := range []string{key, target(key)} {
			dumps[2*i+k], ends[2*i+k] = pipe.Dump(ctx, name), pipe.PExpireTime(ctx, name)
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, goredis.Nil) {
		return err
	}
	var unequal []string
	for i, key := range keys {
		if ends[2*i].Val() != ends[2*i+1].Val() {
			return fmt.Errorf("%s and its target end at different times", key)
		}
		if dumps[2*i].Val() != dumps[2*i+1].Val() {
			unequal = append(unequal, key)
		}
	}
	return equalHashes(ctx, client, unequal)
}

// equalHashes compares hashes field by field: one that was copied may be stored
// in another order.
func equalHashes(ctx context.Context, client goredis.UniversalClient, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	pipe := client.Pipeline()
	hashes := make([]*goredis.MapStringStringCmd, 2*len(keys))
	for i, key := range keys {
		hashes[2*i], hashes[2*i+1] = pipe.HGetAll(ctx, key), pipe.HGetAll(ctx, target(key))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for i, key := range keys {
		if len(hashes[2*i].Val()) == 0 || !maps.Equal(hashes[2*i].Val(), hashes[2*i+1].Val()) {
			return fmt.Errorf("%s is not what its target is", key)
		}
	}
	return nil
}
