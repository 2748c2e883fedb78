package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// rewritten turns the times of a batch of records into milliseconds, and says
// of each what it is.
func rewritten(ctx context.Context, client goredis.UniversalClient, keys []string) error {
	fields := []string{"created_at", "updated_at", "entity"}
	reads := client.Pipeline()
	values := make([]*goredis.SliceCmd, len(keys))
	for i, key := range keys {
		values[i] = reads.HMGet(ctx, key, fields...)
	}
	if _, err := reads.Exec(ctx); err != nil {
		return err
	}
	writes := client.Pipeline()
	for i, key := range keys {
		var set []any
		for k, field := range fields[:2] {
			text, _ := values[i].Val()[k].(string)
			if _, err := strconv.ParseInt(text, 10, 64); text == "" || err == nil {
				continue
			}
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", field, key, err)
			}
			set = append(set, field, at.UnixMilli())
		}
		if text, _ := values[i].Val()[2].(string); text == "" {
			entity := "tenant"
			if strings.Contains(key, ":destination:") {
				entity = "destination"
			}
			set = append(set, "entity", entity)
		}
		if len(set) > 0 {
			writes.HSet(ctx, key, set...)
		}
	}
	_, err := writes.Exec(ctx)
	return err
}
