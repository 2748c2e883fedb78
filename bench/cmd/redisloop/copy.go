package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// copied copies a batch inside of one server.
func copied(ctx context.Context, client goredis.UniversalClient, keys []string) error {
	pipe := client.Pipeline()
	for _, key := range keys {
		pipe.Copy(ctx, key, target(key), 0, false)
	}
	answers, err := pipe.Exec(ctx)
	if err != nil {
		return err
	}
	for i, answer := range answers {
		if answer.(*goredis.IntCmd).Val() != 1 {
			return fmt.Errorf("%s was not copied", keys[i])
		}
	}
	return nil
}

// restored copies a batch between servers.
func restored(ctx context.Context, client goredis.UniversalClient, keys []string) error {
	pipe := client.Pipeline()
	dumps, ends := make([]*goredis.StringCmd, len(keys)), make([]*goredis.DurationCmd, len(keys))
	for i, key := range keys {
		dumps[i], ends[i] = pipe.Dump(ctx, key), pipe.PTTL(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, goredis.Nil) {
		return err
	}
	pipe = client.Pipeline()
	for i, key := range keys {
		if errors.Is(dumps[i].Err(), goredis.Nil) {
			continue // it has just expired
		}
		pipe.Restore(ctx, target(key), max(ends[i].Val(), 0).Round(time.Millisecond), dumps[i].Val())
	}
	_, err := pipe.Exec(ctx)
	return err
}
