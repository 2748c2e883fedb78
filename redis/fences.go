package redis

import (
	"context"
	"strconv"
	"sync"

	"github.com/stopover-dev/stopover/store"
)

// fences is the guard of every slot of a cluster. Scripts cannot look at the
// books from another slot, so each slot has a key with the number of the highest
// guard that was raised there; a script of a lower one is refused. The books keep
// that number too, for scripts that look there.
//
// The number is the revision of the holder's guard, and one more for each time
// that the holder shut out work of its own: what it had sent and does not know the
// end of. Revisions follow the clock in microseconds, so the next holder's is
// higher than all of them.
type fences struct {
	names sync.Map // of keys, to what gives them by slot

	mu             sync.Mutex
	holder, number int64
	raised         int64
}

// present gives the number of a holder's work, next a higher one, behind which
// nothing is done that was sent before.
func (f *fences) present(holder int64) int64 { return f.count(holder, 0) }
func (f *fences) next(holder int64) int64    { return f.count(holder, 1) }

func (f *fences) count(holder, more int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.holder != holder {
		f.holder, f.number = holder, holder
	}
	f.number += more
	return f.number
}

// placed gives the key of Stopover's with a name that is in a slot. Where all
// keys are in one slot, or there are none, it stands beside the books.
func (s *Store) placed(slot int, name string) string {
	if !s.net.cluster || s.tagged() {
		return s.books + ":" + name
	}
	keys, ok := s.fences.names.Load(name)
	if !ok {
		keys, _ = s.fences.names.LoadOrStore(name, sync.OnceValue(func() []string { return s.inEverySlot(name) }))
	}
	return keys.(func() []string)()[slot]
}

// guardOf gives the key that holds the guard of a slot.
func (s *Store) guardOf(slot int) string { return s.placed(slot, "guard") }

// raise brings all guards up to a number, once for each, and looks then whether
// the books' guards still stand. From here on no work of an earlier holder is done
// anywhere.
func (s *Store) raise(ctx context.Context, number int64, books []store.Note) error {
	if number <= 0 {
		return nil
	}
	s.fences.mu.Lock()
	defer s.fences.mu.Unlock()
	if s.fences.raised == number {
		return nil
	}
	if s.net.cluster && !s.tagged() {
		if err := s.raiseSlots(ctx, number, books); err != nil {
			return err
		}
	}
	answer, err := s.ask(ctx, raiseBooksScript, []string{s.books}, strconv.FormatInt(number, 10))
	if err == nil && answer == int64(0) {
		err = &store.ConflictError{Key: highest(books).Key, Guard: true}
	}
	if err == nil {
		_, err = s.perform(ctx, call{guard: books})
	}
	if err == nil {
		s.fences.raised = number
	}
	return err
}
