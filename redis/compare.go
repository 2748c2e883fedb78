package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// Compare is a verification that goes over all keys below the prefix: every
// source is compared with its target (type, content, time of its end), every
// target has its source, and no key is left that the layout does not mention. It
// is a Query, and changes nothing. What differs is asked twice, so that a key that
// expires just then is not taken for a difference.
//
// With Live it is asked while a Copy follows writers: what differs is looked at
// again when that has caught up. Behind the Cutover it looks for sources that were
// written to since.
type Compare struct {
	Layout Layout
	Live   bool
}

// Shape tells that it is a verification.
func (c Compare) Shape() store.Shape { return store.Query }

// Statements gives one, for people and for the step's checksum.
func (c Compare) Statements() []store.Statement {
	return []store.Statement{{Text: "compare keys: " + c.Layout.String()}}
}

// tolerance is how far the ends of two equal keys may be apart: servers before
// 7.0 tell the time that is left, not when it ends.
const tolerance = 10 * time.Millisecond

func (c Compare) seek(ctx context.Context, r *Reader, report func(string)) error {
	if c.Live {
		return c.seekLive(ctx, r, report)
	}
	scan, err := r.store.beginScan(ctx, "*", nil)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		report(line)
	}
	return inLanes(ctx, r.store.lanes(), func(ctx context.Context, hand func(compared) error) error {
		return c.feed(ctx, scan, hand, say)
	}, func(ctx context.Context, batch compared) error {
		return r.store.compare(ctx, batch, say)
	})
}

// compared is a batch of pairs of which the sources were seen, or the targets.
type compared struct {
	pairs []pair
	by    role
}

// feed goes over all keys, and reports those that are in no pair.
func (c Compare) feed(ctx context.Context, scan *scanning, hand func(compared) error, report func(string)) error {
	for !scan.done {
		keys, err := scan.more(ctx, scanCount)
		if err != nil {
			return err
		}
		sources, targets, odd, err := c.sorted(keys)
		if err != nil {
			return err
		}
		for _, line := range odd {
			report(line)
		}
		for by, pairs := range map[role][]pair{source: sources, target: targets} {
			for batch := range slices.Chunk(pairs, batchSize) {
				if err := hand(compared{batch, by}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// compare reports what is wrong with a batch. A pair is compared where its source
// is seen; where its target is, only one without a source is.
func (s *Store) compare(ctx context.Context, batch compared, report func(string)) error {
	pairs := batch.pairs
	if batch.by == target {
		var err error
		if pairs, err = s.withoutSource(ctx, pairs); err != nil {
			return err
		}
	}
	differing, err := s.comparePairs(ctx, pairs, tolerance)
	for _, d := range differing {
		report(fmt.Sprintf("%s and %s: %s", d.from, d.to, d.because))
	}
	return err
}

// withoutSource gives the pairs that have none.
func (s *Store) withoutSource(ctx context.Context, pairs []pair) ([]pair, error) {
	var all []pair
	for part := range slices.Chunk(pairs, batchSize) {
		froms := make([]string, len(part))
		for i, p := range part {
			froms[i] = s.full(p.from)
		}
		there, err := s.there(ctx, froms)
		if err != nil {
			return nil, err
		}
		for i, is := range there {
			if !is {
				all = append(all, part[i])
			}
		}
	}
	return all, nil
}

// there tells which of full keys exist.
func (s *Store) there(ctx context.Context, keys []string) ([]bool, error) {
	answers, err := s.plainly(ctx, keys, func(pipe goredis.Pipeliner, i int) { pipe.Exists(ctx, keys[i]) })
	if err != nil {
		return nil, err
	}
	all := make([]bool, len(keys))
	for i, answer := range answers {
		n, err := answer[0].(*goredis.IntCmd).Result()
		if err != nil { // perhaps the key's slot has just moved
			var again any
			again, err = s.ask(ctx, existsScript, keys[i:i+1])
			n, _ = again.(int64)
		}
		if err != nil {
			return nil, err
		}
		all[i] = n > 0
	}
	return all, nil
}

// sorted gives the pairs of which keys has the source, those of which it has the
// target, and a line for each key that is in none and was not declared.
func (c Compare) sorted(keys []string) (sources, targets []pair, odd []string, err error) {
	for _, key := range keys {
		p, as, err := placeOf(c.Layout, key)
		switch {
		case isAmbiguous(err):
			odd = append(odd, err.Error())
		case err != nil:
			return nil, nil, nil, err
		case as == source:
			sources = append(sources, p)
		case as == target:
			targets = append(targets, p)
		case c.Layout.Fate(key) == Unmentioned:
			odd = append(odd, fmt.Sprintf("%s: no template takes it, and it is neither kept nor dropped by name", key))
		}
	}
	return sources, targets, odd, nil
}

// difference is a pair that is not equal.
type difference struct {
	pair
	because string
}

// comparePairs gives the pairs that are not equal, after a second look.
func (s *Store) comparePairs(ctx context.Context, pairs []pair, within time.Duration) ([]difference, error) {
	unequal, err := s.differing(ctx, pairs, within)
	if err != nil || len(unequal) == 0 {
		return nil, err
	}
	again := make([]pair, len(unequal))
	for i, d := range unequal {
		again[i] = d.pair
	}
	return s.differing(ctx, again, within)
}

// state is what a key holds and when it ends.
type state struct {
	holds string // a digest; "" if it is not there
	ends  int64  // milliseconds since 1970; -1: never
}

// states asks for keys without the prefix, those of a slot in one script.
func (s *Store) states(ctx context.Context, keys []string) ([]state, error) {
	lists := map[int][]int{}
	for i, key := range keys {
		lists[s.slotOf(key)] = append(lists[s.slotOf(key)], i)
	}
	var trips []trip
	var order [][]int
	for _, list := range lists {
		t := trip{script: stateScript, limit: workLimit}
		for _, i := range list {
			t.keys = append(t.keys, s.full(keys[i]))
		}
		trips, order = append(trips, t), append(order, list)
	}
	answers, err := s.pipeline(ctx, trips)
	if err != nil {
		return nil, err
	}
	all := make([]state, len(keys))
	for k, answer := range answers {
		parts, _ := answer.([]any)
		if len(parts) != 2*len(order[k]) {
			return nil, fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
		}
		for n, i := range order[k] {
			ends, err := strconv.ParseInt(text(parts[2*n+1]), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: read when %s ends: %w", s.place, keys[i], err)
			}
			all[i] = state{text(parts[2*n]), ends}
		}
	}
	return all, nil
}

// unlike says how a target differs from its source, "" if it does not.
func unlike(from, to state, within time.Duration) string {
	switch {
	case from.holds == "" && to.holds == "":
		return "" // both have ended
	case from.holds == "":
		return "there is a target and no source"
	case to.holds == "":
		return "there is no target"
	case from.holds != to.holds:
		kind, _, _ := strings.Cut(from.holds, " ")
		if other, _, _ := strings.Cut(to.holds, " "); other != kind {
			return "one is a " + kind + ", the other a " + other
		}
		return "their contents differ"
	case (from.ends < 0) != (to.ends < 0):
		return "one of them ends by itself, the other does not"
	case max(from.ends-to.ends, to.ends-from.ends) > within.Milliseconds():
		return fmt.Sprintf("they end %s apart", time.Duration(max(from.ends-to.ends, to.ends-from.ends))*time.Millisecond)
	}
	return ""
}
