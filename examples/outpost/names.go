package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/redis"
)

// names is the step before all others: 001_hash_tags takes "a:destinations" for
// the destinations of the tenant "a", never for a tenant of that name. A tenant's
// record holds its id, so it can be told whether one has such a name.
func (m *migrator) names() stopover.Migration {
	return stopover.Migration{Store: "outpost", Name: "000_names", Steps: []stopover.Step{{
		Kind: stopover.Verify, Version: "1",
		Do: redis.Query("tenants whose keys read like those of another tenant's destinations", m.misread),
	}}}
}

// misread reports tenants that would be taken for something else.
func (m *migrator) misread(ctx context.Context, reader *redis.Reader, report func(string)) error {
	var cursor []byte
	for done := false; !done; {
		keys, next, end, err := reader.Scan(ctx, "*", cursor, 1000)
		if err != nil {
			return err
		}
		cursor, done = next, end
		ids, err := m.ids(ctx, keys)
		if err != nil {
			return err
		}
		for key, id := range ids {
			if id == key {
				report(fmt.Sprintf("%q is a tenant, and its name reads like destinations: set it aside under a name that does not begin with tenant:, and put it under its new name after cleanup", key))
			}
		}
	}
	return nil
}

// ids gives the ids in the records whose keys can be read in two ways, in one trip
// to each server.
func (m *migrator) ids(ctx context.Context, keys []string) (map[string]string, error) {
	pipe := m.client.Pipeline()
	asked := map[string]*goredis.StringCmd{}
	for _, key := range keys {
		old := !strings.ContainsAny(key, "{}")
		if old && (strings.HasSuffix(key, ":destinations") || strings.Contains(key, ":destination:")) {
			asked[key] = pipe.HGet(ctx, m.settings.below("tenant:")+key, "id")
		}
	}
	_, _ = pipe.Exec(ctx) // each answer has its own error
	ids := map[string]string{}
	for key, answer := range asked {
		id, err := answer.Result()
		switch {
		case err == nil:
			ids[key] = id
		case !errors.Is(err, goredis.Nil) && !goredis.HasErrorPrefix(err, "WRONGTYPE"):
			return nil, fmt.Errorf("read the id of %s: %w", key, err)
		}
	}
	return ids, nil
}
