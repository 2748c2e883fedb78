package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/stopover-dev/stopover/store"
)

// fences is the guard of every slot of a cluster. Scripts cannot look at the
// books from another slot, so each slot has a key with the revision of the
// highest guard that was raised there; a script of a lower one is refused.
type fences struct {
	names sync.Map // of keys, to what gives them by slot

	mu     sync.Mutex
	raised int64
}

// placed gives the key of Stopover's with a name that is in a slot. Where all
// keys are in one slot, or there are none, it stands beside the books.
func (s *Store) placed(slot int, name string) string {
	if !s.net.cluster || s.tagged() {
		return s.books + ":" + name
	}
	keys, _ := s.fences.names.LoadOrStore(name, sync.OnceValue(func() []string { return s.inEverySlot(name) }))
	return keys.(func() []string)()[slot]
}

// guardOf gives the key that holds the guard of a slot.
func (s *Store) guardOf(slot int) string { return s.placed(slot, "guard") }

// raise brings the guards of all slots up to a revision, once for each, and
// looks then whether the books' guards still stand. From here on no work of an
// earlier holder is done anywhere.
func (s *Store) raise(ctx context.Context, guard int64, books []store.Note) error {
	if !s.net.cluster || s.tagged() || guard <= 0 {
		return nil
	}
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	if s.fences.raised == guard {
		return nil
	}
	all := make([]trip, slots)
	for i := range all {
		all[i] = trip{script: raiseScript, keys: []string{s.guardOf(i)},
			args: []any{strconv.FormatInt(guard, 10)}, limit: replyLimit}
	}
	for part := range slices.Chunk(all, 1024) {
		answers, err := s.pipeline(ctx, part)
		if err != nil {
			return fmt.Errorf("raise the guards of all slots: %w", err)
		}
		if slices.Contains(answers, any(int64(0))) {
			return &store.ConflictError{Key: highest(books).Key, Guard: true}
		}
	}
	if _, err := s.perform(ctx, call{guard: books}); err != nil {
		return err
	}
	s.fences.raised = guard
	return nil
}
