package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// fill deletes everything and makes the keys, the same each time.
func (t *tenants) fill(ctx context.Context) error {
	var errs []error
	for _, node := range t.nodes {
		errs = append(errs, node.FlushAll(ctx).Err())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(5, 5))
	const together = 100
	for begin := 0; begin < t.n; begin += together {
		pipe := t.client.Pipeline()
		for i := begin; i < min(begin+together, t.n); i++ {
			addTenant(ctx, pipe, i, random)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// addTenant makes the hashes of a tenant. One destination of twenty ends by
// itself, far from now.
func addTenant(ctx context.Context, pipe goredis.Pipeliner, i int, random *rand.Rand) {
	id := tenantID(i)
	made := time.Date(2025, 3, 1, 10, 11, 12, 123456789, time.UTC).Add(time.Duration(i) * time.Second)
	tenant := tenantKey(i)
	pipe.HSet(ctx, tenant, "id", id, "created_at", made.Format(time.RFC3339Nano))
	var summary []any
	for d := range 3 {
		name := fmt.Sprintf("des_%07d_%d", i, d)
		summary = append(summary, name, fmt.Sprintf(`{"id":%q,"type":"webhook","topics":["user.created","user.deleted"],"disabled":false}`, name))
		credentials := make([]byte, 96) // as encrypted
		for k := range credentials {
			credentials[k] = byte(random.Uint32())
		}
		key := tenant + ":destination:" + name
		pipe.HSet(ctx, key, "id", name, "type", "webhook", "topics", `["user.created","user.deleted"]`,
			"config", fmt.Sprintf(`{"url":"https://hooks.example.org/tenants/%s/%d","timeout":"30s","retries":5}`, id, d),
			"credentials", credentials, "created_at", made.Add(time.Minute).Format(time.RFC3339Nano))
		if (3*i+d)%20 == 0 {
			pipe.PExpireAt(ctx, key, time.Date(2099, 1, 1, 0, 0, 0, i%1000*int(time.Millisecond), time.UTC))
		}
	}
	pipe.HSet(ctx, tenant+":destinations", summary...)
}

func tenantID(i int) string  { return fmt.Sprintf("t%07d", i) }
func tenantKey(i int) string { return tenantPrefix + tenantID(i) }
