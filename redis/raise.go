package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// raisePart is how many guards are raised in one trip to a node. The server takes
// a trip in small pieces, with other clients in between.
const raisePart = 2048

// raiseSlots brings the guards of all slots up to a number, on all nodes at once.
// *store.ConflictError: a later holder has raised one higher. If the process dies
// here, some are raised: that shuts out nobody who is not shut out already.
func (s *Store) raiseSlots(ctx context.Context, number int64, books []store.Note) error {
	all := make([]trip, slots)
	for i := range all {
		all[i] = trip{script: raiseScript, keys: []string{s.guardOf(i)},
			args: []any{strconv.FormatInt(number, 10)}, limit: replyLimit}
	}
	lists := map[*goredis.Client][]int{}
	for i := range all {
		node, err := s.net.owner(ctx, i)
		if err != nil {
			return s.fault(ctx, err)
		}
		lists[node] = append(lists[node], i)
	}
	answers := make([]any, slots)
	var mu sync.Mutex
	var failed error
	var ended sync.WaitGroup
	for node, list := range lists {
		ended.Go(func() {
			if err := s.raiseAt(ctx, node, all, list, answers); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
		})
	}
	ended.Wait()
	if failed != nil {
		return fmt.Errorf("raise the guards of all slots: %w", s.fault(ctx, failed))
	}
	if slices.Contains(answers, any(int64(0))) {
		return &store.ConflictError{Key: highest(books).Key, Guard: true}
	}
	return nil
}

// raiseAt performs the trips of one node. The first goes by itself: a node that
// does not know the script has it from then on.
func (s *Store) raiseAt(ctx context.Context, node *goredis.Client, all []trip, list []int, answers []any) error {
	var err error
	if answers[list[0]], err = s.eval(ctx, all[list[0]]); err != nil {
		return err
	}
	for part := range slices.Chunk(list[1:], raisePart) {
		again, err := s.pipelineTo(ctx, node, all, part, answers)
		if err != nil {
			return err
		}
		for _, i := range again { // of slots that are on their way
			if answers[i], err = s.eval(ctx, all[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
