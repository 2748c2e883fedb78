package main

import (
	"context"
	"fmt"

	"github.com/stopover-dev/stopover"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/redis"
)

// cacheMigrations are the steps of the store cache, in Go. A session is a hash
// "session:N" that counts its hits; they become visits.
//
// From 1.6 on releases write both. Beside one that writes hits only, visits fall
// behind: the backfill, from whose begin such a release is refused, puts them
// right. 1.7 is the first that reads them.
func cacheMigrations() []stopover.Migration {
	return []stopover.Migration{
		{Store: "cache", Name: "0002_sessions", Steps: []stopover.Step{
			{Kind: plan.Expand, Version: "1", Do: redis.Script("note the form of sessions", `return redis.call('SET', KEYS[1], 'hits')`, []string{"form"})},
		}},
		{Store: "cache", Name: "0003_visits", Steps: []stopover.Step{
			{Kind: plan.Backfill, Version: "1", Writers: "1.6", Needs: "1.7", Do: redis.Stretch("visits := hits where they differ", everySession(startVisits))},
			{Kind: plan.Verify, Version: "1", Do: redis.Query("sessions whose visits are not their hits", differingSessions)},
			{Kind: plan.Contract, Version: "1", Writers: "1.7", Readers: "1.7", Do: redis.Stretch("drop hits", everySession(dropHits))},
		}},
	}
}

// Each is a script on one session, which gives the same when it is repeated.
const (
	startVisits = `local hits = redis.call('HGET', KEYS[1], 'hits')
if not hits or hits == redis.call('HGET', KEYS[1], 'visits') then return 0 end
redis.call('HSET', KEYS[1], 'visits', hits)
return 1`
	dropHits = `return redis.call('HDEL', KEYS[1], 'hits')`
)

// everySession performs a script on every session.
func everySession(lua string) redis.StretchFunc {
	return func(ctx context.Context, sweep *redis.Sweep, cursor []byte, size int) (next []byte, done bool, rows int64, err error) {
		keys, next, done, err := sweep.Scan(ctx, "session:*", cursor, size)
		if err != nil {
			return nil, false, 0, err
		}
		answers, err := sweep.Each(ctx, lua, keys)
		for _, answer := range answers {
			rows += answer.(int64)
		}
		return next, done, rows, err
	}
}

// differingSessions reports the sessions of which old and new code would see
// different counts. The two are read at once: a session is counted in one script.
func differingSessions(ctx context.Context, reader *redis.Reader, report func(string)) error {
	var cursor []byte
	for done := false; !done; {
		var keys []string
		var err error
		if keys, cursor, done, err = reader.Scan(ctx, "session:*", cursor, 500); err != nil {
			return err
		}
		for _, key := range keys {
			answer, err := reader.Read(ctx, "HMGET", key, "hits", "visits")
			if err != nil {
				return err
			}
			if both := answer.([]any); both[0] != nil && fmt.Sprint(both[0]) != fmt.Sprint(both[1]) {
				report(fmt.Sprintf("%s: %v hits, %v visits", key, both[0], both[1]))
			}
		}
	}
	return nil
}
