package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	goredis "github.com/redis/go-redis/v9"
)

// dumped is a key as bytes.
type dumped struct {
	bytes string
	ends  string // milliseconds since 1970, as text; "-1": never
	there bool
	big   bool  // it takes more memory than was asked for, and was not read
	size  int64 // of one that is big, in bytes of memory
}

// until gives the end as RESTORE takes it, "" where there is no key.
func (d dumped) until() string {
	switch {
	case !d.there:
		return ""
	case d.ends == "-1":
		return "0"
	}
	return d.ends
}

// dumps reads keys, in full, as bytes; those that take more than limit bytes of
// memory are not read, 0: all are. Commands by themselves are twice as quick here
// as a script for each key. What a server answers with an error is asked once
// more by the script, which goes where the key is and knows older servers.
//
// Bytes and end of a key are read one after the other. Where the key changes in
// between, they are no picture of one moment; whoever copies beside writers
// hears of the change, and reads again.
func (s *Store) dumps(ctx context.Context, keys []string, limit int) ([]dumped, error) {
	all, again := make([]dumped, len(keys)), make([]bool, len(keys))
	if limit > 0 {
		sizes, err := s.plainly(ctx, keys, func(pipe goredis.Pipeliner, i int) { pipe.MemoryUsage(ctx, keys[i]) })
		if err != nil {
			return nil, err
		}
		for i, answers := range sizes {
			size, err := answers[0].(*goredis.IntCmd).Result()
			all[i].big, all[i].size = size > int64(limit), size
			again[i] = err != nil && !errors.Is(err, goredis.Nil)
		}
	}
	var read []string
	var numbers []int
	for i, key := range keys {
		if !all[i].big && !again[i] {
			read, numbers = append(read, key), append(numbers, i)
		}
	}
	answers, err := s.plainly(ctx, read, func(pipe goredis.Pipeliner, i int) {
		pipe.Dump(ctx, read[i])
		pipe.Do(ctx, "PEXPIRETIME", read[i])
	})
	if err != nil {
		return nil, err
	}
	for k, i := range numbers {
		bytes, gone := answers[k][0].(*goredis.StringCmd).Result()
		ends, err := answers[k][1].(*goredis.Cmd).Int64()
		switch {
		case errors.Is(gone, goredis.Nil) && err == nil:
		case gone != nil || err != nil:
			again[i] = true
		default:
			// A key that ended in between says so: -2.
			all[i].bytes, all[i].ends, all[i].there = bytes, strconv.FormatInt(ends, 10), ends != -2
		}
	}
	return all, s.dumpsAgain(ctx, keys, limit, all, again)
}

// dumpsAgain reads some of the keys by a script.
func (s *Store) dumpsAgain(ctx context.Context, keys []string, limit int, all []dumped, again []bool) error {
	var trips []trip
	var numbers []int
	for i, key := range keys {
		if again[i] {
			trips = append(trips, trip{script: dumpScript, keys: []string{key}, args: []any{limit}, limit: workLimit})
			numbers = append(numbers, i)
		}
	}
	if len(trips) == 0 {
		return nil
	}
	answers, err := s.pipeline(ctx, trips)
	if err != nil {
		return err
	}
	for k, answer := range answers {
		parts, _ := answer.([]any)
		switch {
		case len(parts) == 2 && text(parts[0]) == "big":
			size, _ := strconv.ParseInt(text(parts[1]), 10, 64)
			all[numbers[k]] = dumped{big: true, size: size}
		case len(parts) == 2:
			all[numbers[k]] = dumped{ends: text(parts[0]), bytes: text(parts[1]), there: true}
		case len(parts) == 1:
			all[numbers[k]] = dumped{}
		default:
			return fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
		}
	}
	return nil
}
