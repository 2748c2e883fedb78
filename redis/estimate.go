package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// What an estimate looks at, all masters together: so much that it is a forecast,
// and so little that nobody notices.
const (
	sampledKeys  = 10_000 // names that are held against the action
	sampledSizes = 200    // keys whose memory is asked for
	sampleTime   = 500 * time.Millisecond
)

// Estimate foresees how many keys an action goes through that goes over keys, and
// what memory the copies take, from the number of keys on each master and a sample
// of them. Of a database with fewer keys than the sample it counts all. How long it
// takes is not foreseen. A big key in the sample is named: all others wait while
// the server works on one key.
//
// Of other actions it knows nothing: they touch the keys that they declare.
func (s *Store) Estimate(ctx context.Context, action store.Action) (store.Estimate, error) {
	takes, copies := taking(action)
	if takes == nil {
		return store.Estimate{}, nil
	}
	if err := s.ready(ctx); err != nil {
		return store.Estimate{}, err
	}
	masters, err := s.net.masters(ctx)
	if err != nil {
		return store.Estimate{}, s.fault(ctx, err)
	}
	var total store.Estimate
	var bytes, measured int64
	var big []string
	for _, addr := range masters {
		sample, err := s.sample(ctx, addr, takes, len(masters))
		if err != nil {
			return store.Estimate{}, fmt.Errorf("look at some keys of %s: %w", s.place, s.fault(ctx, err))
		}
		total.Rows += sample.rows
		bytes, measured, big = bytes+sample.bytes, measured+sample.measured, append(big, sample.big...)
	}
	if copies && measured > 0 {
		total.Memory = bytes / measured * total.Rows
	}
	if len(big) > 0 {
		total.Note = fmt.Sprintf("the server answers nobody while it works on a big key; of %d keys looked at these are: %s", measured, some(big))
	}
	return total, nil
}

// taking gives what tells whether a key is one of an action's, and whether it
// makes another of it. nil: the action does not go over keys.
func taking(action store.Action) (takes func(key string) bool, copies bool) {
	sources := func(layout Layout) func(string) bool {
		return func(key string) bool {
			_, as, err := placeOf(layout, key)
			return err == nil && as == source
		}
	}
	switch a := action.(type) {
	case Copy:
		return sources(a.Layout), true
	case Seal:
		return sources(a.Layout), false
	case DeleteSources:
		source := sources(a.Layout)
		return func(key string) bool { return source(key) || a.Layout.Fate(key) == Dropped }, false
	case Rewrite:
		return func(key string) bool {
			t, err := a.take(key)
			return err == nil && t.rule != nil
		}, false
	}
	return nil, false
}

// sample is what some keys of a master say.
type sample struct {
	rows            int64 // of the action, foreseen
	bytes, measured int64
	big             []string
}

// sample looks at the share of a master among so many.
func (s *Store) sample(ctx context.Context, addr string, takes func(string) bool, masters int) (sample, error) {
	node, err := s.net.node(addr)
	if err != nil {
		return sample{}, err
	}
	there, err := s.keysOn(ctx, node)
	if err != nil {
		return sample{}, err
	}
	var found []string
	var cursor uint64
	var seen int64
	for begun := time.Now(); ; {
		keys, next, err := node.Scan(ctx, cursor, "", scanCount).Result()
		if err != nil {
			return sample{}, err
		}
		seen += int64(len(keys))
		for _, key := range keys {
			if rest, below := strings.CutPrefix(key, s.prefix); below && !s.own(key) && takes(rest) {
				found = append(found, key)
			}
		}
		if cursor = next; cursor == 0 || seen >= int64(sampledKeys/masters) || time.Since(begun) > sampleTime {
			break
		}
	}
	result := sample{rows: int64(len(found))}
	if cursor != 0 && seen > 0 {
		result.rows = int64(float64(len(found)) / float64(seen) * float64(max(there, seen)))
	}
	return result, s.weigh(ctx, node, found[:min(len(found), max(sampledSizes/masters, 1))], &result)
}

// keysOn gives the number of keys in the store's database on a node.
func (s *Store) keysOn(ctx context.Context, node *goredis.Client) (int64, error) {
	info, err := node.Info(ctx, "keyspace").Result()
	if err != nil {
		return 0, err
	}
	// db0:keys=5,expires=1,avg_ttl=0; nothing of a database without keys
	for _, word := range strings.Split(infoField(info, "db"+strconv.Itoa(s.net.settings.DB)), ",") {
		if number, found := strings.CutPrefix(word, "keys="); found {
			return strconv.ParseInt(number, 10, 64)
		}
	}
	return 0, nil
}

// weigh asks for the memory of keys, in full. Where that is not allowed nothing is
// known of it.
func (s *Store) weigh(ctx context.Context, node *goredis.Client, keys []string, into *sample) error {
	if len(keys) == 0 {
		return nil
	}
	pipe := node.Pipeline()
	answers := make([]*goredis.IntCmd, len(keys))
	for i, key := range keys {
		answers[i] = pipe.MemoryUsage(ctx, key)
	}
	_, _ = pipe.Exec(ctx) // each has its own error
	type weight struct {
		key  string
		size int64
	}
	var heavy []weight
	for i, answer := range answers {
		size, err := answer.Result()
		if err != nil && !isReply(err) {
			return err
		}
		if err != nil {
			continue // it is gone, or may not be asked
		}
		into.bytes, into.measured = into.bytes+size, into.measured+1
		if size > announcedKey {
			heavy = append(heavy, weight{keys[i][len(s.prefix):], size})
		}
	}
	slices.SortFunc(heavy, func(a, b weight) int { return int(b.size>>10 - a.size>>10) })
	for _, w := range heavy {
		into.big = append(into.big, sized(w.key, w.size))
	}
	return nil
}

var _ store.Estimator = (*Store)(nil)
