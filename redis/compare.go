package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
	var cursor []byte
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, next, end, err := r.Scan(ctx, "*", cursor, scanCount)
		if err != nil {
			return err
		}
		cursor, done = next, end
		if err := c.compare(ctx, r.store, keys, report); err != nil {
			return err
		}
	}
	return nil
}

// compare reports what is wrong with some keys.
func (c Compare) compare(ctx context.Context, s *Store, keys []string, report func(string)) error {
	sources, targets, odd, err := c.sorted(keys)
	if err != nil {
		return err
	}
	for _, line := range odd {
		report(line)
	}
	orphans, err := s.withoutSource(ctx, targets)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(append(sources, orphans...), batchSize) {
		differing, err := s.comparePairs(ctx, part, tolerance)
		if err != nil {
			return err
		}
		for _, d := range differing {
			report(fmt.Sprintf("%s and %s: %s", d.from, d.to, d.because))
		}
	}
	return nil
}

// withoutSource gives the pairs that have none.
func (s *Store) withoutSource(ctx context.Context, pairs []pair) ([]pair, error) {
	var all []pair
	for part := range slices.Chunk(pairs, batchSize) {
		froms := make([]string, len(part))
		for i, p := range part {
			froms[i] = p.from
		}
		states, err := s.states(ctx, froms, "exists")
		if err != nil {
			return nil, err
		}
		for i, state := range states {
			if state.holds == "" {
				all = append(all, part[i])
			}
		}
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
	unequal, err := s.differing(ctx, pairs, "dump", within)
	if err != nil || len(unequal) == 0 {
		return nil, err
	}
	again := make([]pair, len(unequal))
	for i, d := range unequal {
		again[i] = d.pair
	}
	return s.differing(ctx, again, "canon", within)
}

// differing compares pairs by what compare.lua gives of their keys.
func (s *Store) differing(ctx context.Context, pairs []pair, by string, within time.Duration) ([]difference, error) {
	keys := make([]string, 0, 2*len(pairs))
	for _, p := range pairs {
		keys = append(keys, p.from, p.to)
	}
	states, err := s.states(ctx, keys, by)
	if err != nil {
		return nil, err
	}
	var all []difference
	for i, p := range pairs {
		if because := unlike(states[2*i], states[2*i+1], within); because != "" {
			all = append(all, difference{p, because})
		}
	}
	return all, nil
}

// state is what a key holds and when it ends.
type state struct {
	holds string // a digest; "" if it is not there
	ends  int64  // milliseconds since 1970; -1: never
}

// states asks for keys without the prefix, those of a slot in one script.
func (s *Store) states(ctx context.Context, keys []string, by string) ([]state, error) {
	lists := map[int][]int{}
	for i, key := range keys {
		lists[s.slotOf(key)] = append(lists[s.slotOf(key)], i)
	}
	var trips []trip
	var order [][]int
	for _, list := range lists {
		t := trip{script: compareScript, args: []any{by}, limit: workLimit}
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
