package main

import (
	"context"
	"errors"
	"fmt"
)

// redisCompare measures the comparison of all keys with their copies.
type redisCompare struct{ cluster bool }

func (m redisCompare) measure(ctx context.Context, s *site) (rows []row, err error) {
	t, err := s.openTenants(ctx, m.cluster, s.size(tenantsOfPart))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	p, err := s.redisProject(t, redisCopying+redisVerify)
	if err != nil {
		return nil, err
	}
	if err := s.adopt(ctx, p, t); err != nil {
		return nil, err
	}
	if _, err := s.run(ctx, s.stopover(p, t.urls()[0], "apply", "--offline", "--yes")); err != nil {
		return nil, err
	}
	got, err := s.turns(ctx, t, map[string]redisRun{
		plainLoop: {command: s.redisLoop(t, "compare")},
		contender: {command: s.stopover(p, t.urls()[0], "verify")},
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("comparison of %d pairs on %s", t.keys(), t.where())
	return besidePlain(what, t.keys(), 0.8, got), nil
}

// redisRewrite measures values that get a new form where they are.
type redisRewrite struct{ cluster bool }

func (m redisRewrite) measure(ctx context.Context, s *site) (rows []row, err error) {
	t, err := s.openTenants(ctx, m.cluster, s.size(tenantsOfPart))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	p, err := s.redisProject(t, redisRewriting)
	if err != nil {
		return nil, err
	}
	got, err := s.turns(ctx, t, map[string]redisRun{
		plainLoop: {command: s.redisLoop(t, "rewrite"), after: then(t.rewritten)},
		contender: {
			ready:   func(ctx context.Context) error { return s.adopt(ctx, p, t) },
			command: s.stopover(p, t.urls()[0], "apply", "--offline", "--yes"),
			after:   then(t.rewritten),
		},
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("rewrite of %d hashes on %s", t.records(), t.where())
	return besidePlain(what, t.records(), 0.7, got), nil
}

// rewritten looks whether a record of each sort has its new form, and makes all
// keys anew.
func (t *tenants) rewritten(ctx context.Context) error {
	last := tenantKey(t.n - 1)
	for key, entity := range map[string]string{last: "tenant", fmt.Sprintf("%s:destination:des_%07d_2", last, t.n-1): "destination"} {
		values, err := t.client.HMGet(ctx, key, "created_at", "updated_at", "entity").Result()
		if err != nil {
			return err
		}
		if made, _ := values[0].(string); len(made) != len("1740823872123") || values[1] != nil || values[2] != entity {
			return fmt.Errorf("%s was not rewritten: %v", key, values)
		}
	}
	return t.fill(ctx)
}
