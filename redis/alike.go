package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// differing gives the pairs that are not equal just now. Each is compared as a
// whole: in one script where both keys are in a slot, else from what both are read
// to hold. Where that is not sure, by digests.
func (s *Store) differing(ctx context.Context, pairs []pair, within time.Duration) ([]difference, error) {
	near := map[int][]int{} // by slot
	var far []int
	for i, p := range pairs {
		if from := s.slotOf(p.from); from == s.slotOf(p.to) {
			near[from] = append(near[from], i)
		} else {
			far = append(far, i)
		}
	}
	why := make([]string, len(pairs))
	if err := s.unlikeNear(ctx, pairs, near, within, why); err != nil {
		return nil, err
	}
	if err := s.unlikeFar(ctx, pairs, far, within, why); err != nil {
		return nil, err
	}
	var all []difference
	for i, because := range why {
		if because != "" {
			all = append(all, difference{pairs[i], because})
		}
	}
	return all, nil
}

// unlikeNear compares pairs whose keys are in one slot, by the numbers of the
// pairs, and says why they differ.
func (s *Store) unlikeNear(ctx context.Context, pairs []pair, near map[int][]int, within time.Duration, why []string) error {
	var trips []trip
	var lists [][]int
	for _, list := range near {
		t := trip{script: sameScript, args: []any{within.Milliseconds()}, limit: workLimit}
		for _, i := range list {
			t.keys = append(t.keys, s.full(pairs[i].from), s.full(pairs[i].to))
		}
		trips, lists = append(trips, t), append(lists, list)
	}
	answers, err := s.pipeline(ctx, trips)
	if err != nil {
		return err
	}
	for k, answer := range answers {
		odd, ok := answer.([]any)
		if !ok {
			return fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
		}
		for _, one := range odd {
			parts, _ := one.([]any)
			number, from, to, err := readOdd(parts)
			if err != nil || number < 1 || number > len(lists[k]) {
				return fmt.Errorf("%s: the answer %v is not understood", s.place, one)
			}
			why[lists[k][number-1]] = unlike(from, to, within)
		}
	}
	return nil
}

// readOdd reads one pair of same.lua's answer.
func readOdd(parts []any) (number int, from, to state, err error) {
	if len(parts) != 5 {
		return 0, state{}, state{}, strconv.ErrSyntax
	}
	n, _ := parts[0].(int64)
	from.holds, to.holds = text(parts[1]), text(parts[3])
	if from.ends, err = strconv.ParseInt(text(parts[2]), 10, 64); err == nil {
		to.ends, err = strconv.ParseInt(text(parts[4]), 10, 64)
	}
	return int(n), from, to, err
}

// unlikeFar compares pairs whose keys are in two slots.
func (s *Store) unlikeFar(ctx context.Context, pairs []pair, far []int, within time.Duration, why []string) error {
	if len(far) == 0 {
		return nil
	}
	keys := make([]string, 0, 2*len(far))
	for _, i := range far {
		keys = append(keys, s.full(pairs[i].from), s.full(pairs[i].to))
	}
	traits, err := s.traits(ctx, keys)
	if err != nil {
		return err
	}
	alike, err := s.alike(ctx, keys, traits, within)
	if err != nil {
		return err
	}
	var unsure []int
	var names []string
	for k, i := range far {
		if !alike[k] {
			unsure, names = append(unsure, i), append(names, pairs[i].from, pairs[i].to)
		}
	}
	states, err := s.states(ctx, names)
	for k, i := range unsure {
		if err == nil {
			why[i] = unlike(states[2*k], states[2*k+1], within)
		}
	}
	return err
}

// trait is what can be told of a key without reading it.
type trait struct {
	sort string // as TYPE says it; "": it could not be told
	ends int64  // milliseconds since 1970; -1: never
	big  bool   // it takes more than bigKey of memory
}

func (s *Store) traits(ctx context.Context, keys []string) ([]trait, error) {
	answers, err := s.plainly(ctx, keys, func(pipe goredis.Pipeliner, i int) {
		pipe.Type(ctx, keys[i])
		pipe.Do(ctx, "PEXPIRETIME", keys[i])
		pipe.MemoryUsage(ctx, keys[i])
	})
	if err != nil {
		return nil, err
	}
	all := make([]trait, len(keys))
	for i, answer := range answers {
		sort, wrong := answer[0].(*goredis.StatusCmd).Result()
		ends, unknown := answer[1].(*goredis.Cmd).Int64()
		size, gone := answer[2].(*goredis.IntCmd).Result()
		if wrong == nil && unknown == nil && gone == nil {
			all[i] = trait{sort, ends, size > bigKey}
		}
	}
	return all, nil
}

// wholes are the commands that read all of a key, by its type, behind its name.
var wholes = map[string][]any{
	"string": {"GET"}, "list": {"LRANGE", 0, -1}, "hash": {"HGETALL"}, "set": {"SMEMBERS"}, "zset": {"ZRANGE", 0, -1, "WITHSCORES"},
}

// alike compares full keys, each with the next, by all that they hold. Of a pair
// that is too big to be read here, of another type or changing it does not say
// yes.
func (s *Store) alike(ctx context.Context, keys []string, traits []trait, within time.Duration) ([]bool, error) {
	var read, sorts []string
	var pairs []int
	for i := 0; i < len(keys); i += 2 {
		one, other := traits[i], traits[i+1]
		if wholes[one.sort] != nil && one.sort == other.sort && !one.big && !other.big && together(one.ends, other.ends, within) {
			read, sorts, pairs = append(read, keys[i], keys[i+1]), append(sorts, one.sort), append(pairs, i/2)
		}
	}
	answers, err := s.plainly(ctx, read, func(pipe goredis.Pipeliner, i int) {
		words := wholes[sorts[i/2]]
		pipe.Do(ctx, append([]any{words[0], read[i]}, words[1:]...)...)
	})
	if err != nil {
		return nil, err
	}
	all := make([]bool, len(keys)/2)
	for k, pair := range pairs {
		one, wrong := answers[2*k][0].(*goredis.Cmd).Result()
		other, worse := answers[2*k+1][0].(*goredis.Cmd).Result()
		all[pair] = wrong == nil && worse == nil && equal(sorts[k], one, other)
	}
	return all, nil
}

// equal compares what two keys of a type were read to hold.
func equal(sort string, one, other any) bool {
	first, list := one.([]any)
	second, too := other.([]any)
	if !list || !too {
		return !list && !too && one == other
	}
	if len(first) != len(second) || len(first) == 0 {
		return false // an empty one has just ended
	}
	group := map[string]int{"hash": 2, "set": 1}[sort]
	if group == 0 || slices.Equal(first, second) {
		return slices.Equal(first, second)
	}
	values := make(map[any]any, len(first)/group)
	for i := 0; i+group <= len(first); i += group {
		values[first[i]] = first[i+group-1]
	}
	for i := 0; i+group <= len(second); i += group {
		if value, there := values[second[i]]; !there || value != second[i+group-1] {
			return false
		}
	}
	return true
}

// together tells whether two keys end at the same time.
func together(one, other int64, within time.Duration) bool {
	return one == other || one > 0 && other > 0 && max(one-other, other-one) <= within.Milliseconds()
}
