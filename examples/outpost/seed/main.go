// Command seed fills a Redis with what Outpost up to v0.5.1 would have written,
// for trying examples/outpost. It takes the same variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

func main() {
	tenants := flag.Int("tenants", 1000, "`number` of tenants, with three destinations each")
	flag.Parse()
	client := goredis.NewUniversalClient(&goredis.UniversalOptions{
		Addrs: []string{os.Getenv("REDIS_HOST") + ":" + os.Getenv("REDIS_PORT")}, Password: os.Getenv("REDIS_PASSWORD"),
		IsClusterMode: os.Getenv("REDIS_CLUSTER_ENABLED") == "true",
	})
	n, err := seed(context.Background(), client, *tenants)
	if err = errors.Join(err, client.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
	fmt.Printf("%d tenants, %d keys\n", *tenants, n)
}

const week = 7 * 24 * time.Hour

// seed gives the number of keys. Some tenants are odd in ways that happen: ids
// with ":", deleted ones that end in a week, destinations of nobody.
func seed(ctx context.Context, client goredis.UniversalClient, tenants int) (keys int, err error) {
	pipe := client.Pipeline()
	put := func(key string, fields ...any) {
		pipe.HSet(ctx, "tenant:"+key, fields...)
		keys++
	}
	created := time.Date(2025, 3, 1, 10, 11, 12, 123456789, time.FixedZone("", 2*3600))
	for i := range tenants {
		id := fmt.Sprintf("t%d", i)
		if i%50 == 7 {
			id = fmt.Sprintf("org:%d", i)
		}
		at := created.Add(time.Duration(i) * time.Minute).Format(time.RFC3339Nano)
		put(id, "id", id, "created_at", at)
		for _, d := range []string{"d1", "d2", "d3"} {
			put(id+":destination:"+d, "id", d, "type", "webhook", "topics", `["*"]`, "config", `{"url":"https://example.com"}`,
				"credentials", "\x00\xff\x80{}"+id, "created_at", at)
			pipe.HSet(ctx, "tenant:"+id+":destinations", d, `{"type":"webhook","topics":["*"],"disabled":false}`)
		}
		keys++
		if i%50 == 9 { // a destination that was deleted, and one that was disabled
			pipe.Del(ctx, "tenant:"+id+":destination:d2")
			pipe.HDel(ctx, "tenant:"+id+":destinations", "d2")
			pipe.HSet(ctx, "tenant:"+id+":destination:d2", "deleted_at", at)
			pipe.Expire(ctx, "tenant:"+id+":destination:d2", week)
			pipe.HSet(ctx, "tenant:"+id+":destination:d3", "disabled_at", at)
		}
		if i%500 == 499 || i == tenants-1 {
			if _, err := pipe.Exec(ctx); err != nil {
				return 0, err
			}
		}
	}
	put("gone", "id", "gone", "created_at", created.Format(time.RFC3339Nano), "deleted_at", created.Format(time.RFC3339Nano))
	pipe.Expire(ctx, "tenant:gone", week)
	put("nobody:destination:d1", "id", "d1", "type", "webhook", "created_at", created.Format(time.RFC3339Nano))
	pipe.SAdd(ctx, "tenant:notes", "a set that somebody made")
	_, err = pipe.Exec(ctx)
	return keys + 1, err
}
