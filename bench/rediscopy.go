package main

import (
	"context"
	"errors"
	"fmt"
)

// redisCopy measures a copy of keys to new names, offline: inside of one server,
// or between the slots of a cluster.
type redisCopy struct{ cluster bool }

func (m redisCopy) measure(ctx context.Context, s *site) (rows []row, err error) {
	t, err := s.openTenants(ctx, m.cluster, s.size(tenantsOfPart))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	ours, err := s.copying(t)
	if err != nil {
		return nil, err
	}
	loop := "copy"
	if m.cluster {
		loop = "restore"
	}
	got, err := s.turns(ctx, t, map[string]redisRun{
		plainLoop: {command: s.redisLoop(t, loop), after: then(t.copied)},
		contender: ours,
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("copy of %d keys on %s", t.keys(), t.where())
	return besidePlain(what, t.keys(), 0.85, got), nil
}

// copying is Stopover's copy.
func (s *site) copying(t *tenants) (redisRun, error) {
	p, err := s.redisProject(t, redisCopying)
	return redisRun{
		ready:   func(ctx context.Context) error { return s.adopt(ctx, p, t) },
		command: s.stopover(p, t.urls()[0], "apply", "--offline", "--yes"),
		after:   then(t.copied),
	}, err
}

// copied takes the new names away, and tells with an error if some were missing.
func (t *tenants) copied(ctx context.Context) error {
	targets, err := t.reset(ctx)
	if err == nil && targets != t.keys() {
		err = fmt.Errorf("%d keys were to be copied, and there are %d", t.keys(), targets)
	}
	return err
}

// redisMemory measures how much memory a copy takes that goes over four times as
// many keys.
func redisMemory(ctx context.Context, s *site) (rows []row, err error) {
	for _, n := range []int{s.size(tenantsOfPart), 4 * s.size(tenantsOfPart)} {
		r, err := s.memoryOfCopy(ctx, n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

func (s *site) memoryOfCopy(ctx context.Context, n int) (rows []row, err error) {
	for _, cluster := range []bool{false, true} {
		r, err := s.memoryOn(ctx, cluster, n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r...)
	}
	return rows, nil
}

func (s *site) memoryOn(ctx context.Context, cluster bool, n int) (rows []row, err error) {
	t, err := s.openTenants(ctx, cluster, n)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	run, err := s.copying(t)
	if err != nil {
		return nil, err
	}
	one, err := s.carry(ctx, t, run)
	what := fmt.Sprintf("copy of %d keys on %s once more", t.keys(), t.where())
	return []row{
		memory(what+": memory", 64, []sample{one.sample}),
		{claim: what + ": of 10,000 PINGs over 20 ms", unit: messages, values: []float64{one.slowly()}, limit: 5,
			note: fmt.Sprintf("the longest %.1f ms", one.longest)},
	}, err
}
