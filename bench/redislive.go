package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// redisLive measures a copy while writers are at work, and for how long they
// cannot write at its cutover.
type redisLive struct{ cluster bool }

// cutoverLimits are the longest pauses, in milliseconds, on one server and on
// three masters.
var cutoverLimits = map[bool]float64{false: 5, true: 50}

func (m redisLive) measure(ctx context.Context, s *site) (rows []row, err error) {
	t, err := s.openTenants(ctx, m.cluster, s.size(tenantsOfPart))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	p, err := s.redisProject(t, redisFollowing+redisVerify+redisCutover)
	if err != nil {
		return nil, err
	}
	loop := "copy"
	if m.cluster {
		loop = "restore"
	}
	pause := row{claim: fmt.Sprintf("cutover on %s: pause of the writers", t.where()), unit: highestMillis, limit: cutoverLimits[m.cluster],
		note: fmt.Sprintf("of %d connections, %d writes a second each", writerConnections, writesASecond)}
	got, err := s.turns(ctx, t, map[string]redisRun{
		plainLoop: {command: s.redisLoop(t, loop), ready: t.allow, writers: true,
			after: func(ctx context.Context, _ *carried, w written) error {
				return errors.Join(w.err, t.copied(ctx), t.unwrite(ctx))
			}},
		contender: {command: s.stopover(p, t.urls()[0], "apply", "--yes"), writers: true,
			ready: func(ctx context.Context) error { return errors.Join(t.allow(ctx), s.adopt(ctx, p, t)) },
			after: func(ctx context.Context, one *carried, w written) error {
				var over time.Time
				var err error
				if one.wall, over, err = t.booked(ctx); err != nil {
					return err
				}
				pause.values = append(pause.values, max(over.Sub(w.last).Seconds()*1000, 0))
				return errors.Join(t.nothingLost(ctx, w), t.copied(ctx), t.unwrite(ctx))
			}},
	})
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("live copy of %d keys on %s", t.keys(), t.where())
	return append(besidePlain(what, t.keys(), 0.75, got), pause), nil
}

// booked reads from the books how long the backfill took, and when the cutover
// was recorded.
func (t *tenants) booked(ctx context.Context) (took time.Duration, over time.Time, err error) {
	line, err := t.line(ctx, "backfill")
	if err != nil {
		return 0, over, err
	}
	var step struct{ Begun, Done time.Time }
	_, _, value := noteOf(line)
	if err := json.Unmarshal([]byte(value), &step); err != nil {
		return 0, over, fmt.Errorf("read the backfill's line: %w", err)
	}
	if line, err = t.line(ctx, "cutover"); err != nil {
		return 0, over, err
	}
	_, when, _ := noteOf(line)
	micros, err := strconv.ParseInt(when, 10, 64)
	return step.Done.Sub(step.Begun), time.UnixMicro(micros), err
}

func (t *tenants) line(ctx context.Context, step string) (string, error) {
	line, err := t.client.HGet(ctx, tenantBooks, "note/ledger/0002_next/"+step).Result()
	if err != nil {
		err = fmt.Errorf("look when the %s was done: %w", step, err)
	}
	return line, err
}

// noteOf reads a note as the books hold it: revision, time in microseconds,
// value.
func noteOf(line string) (rev, when, value string) {
	rev, rest, _ := strings.Cut(line, " ")
	when, value, _ = strings.Cut(rest, " ")
	return rev, when, value
}
