package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/store"
)

func raceCases() []Case {
	return []Case{
		{Name: "eight writers count on one note and lose nothing", Deadline: 60 * time.Second, Run: counters},
		{Name: "guards taken in opposite orders end in writes or conflicts", Deadline: 60 * time.Second, Run: opposite},
		{Name: "after a new epoch was answered no work of the old one appears", Deadline: 60 * time.Second, Run: takeovers},
		{Name: "eight tasks at once are all performed", Deadline: 60 * time.Second, Run: tasksAtOnce},
	}
}

func counters(ctx context.Context, t *T) {
	s := t.prepared()
	t.swap(s, nil, note("counter", store.Absent, `0`))
	const writers, each = 8, 10
	var all sync.WaitGroup
	for range writers {
		h := t.handle()
		all.Go(func() {
			for range each {
				if err := increment(ctx, h); err != nil {
					t.Errorf("increment: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	t.wantValue(s, "counter", fmt.Sprint(writers*each))
}

func increment(ctx context.Context, s store.Store) error {
	for {
		v, err := s.Look(ctx, "counter")
		if err != nil {
			return err
		}
		if len(v.Notes) != 1 {
			return fmt.Errorf("%d counters", len(v.Notes))
		}
		var n int
		if _, err := fmt.Sscan(string(v.Notes[0].Value), &n); err != nil {
			return err
		}
		_, err = s.Swap(ctx, nil, note("counter", v.Notes[0].Rev, fmt.Sprint(n+1)))
		if _, conflict := errors.AsType[*store.ConflictError](err); !conflict {
			return err
		}
	}
}

// opposite lets two write a under the guard b and b under the guard a: a store
// that locks in the order of the call could wait for itself.
func opposite(ctx context.Context, t *T) {
	s := t.prepared()
	t.swap(s, nil, note("a", store.Absent, `0`), note("b", store.Absent, `0`))
	var all sync.WaitGroup
	for i, keys := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "b"}, {"b", "a"}} {
		h := t.handle()
		all.Go(func() {
			for range 15 {
				v, err := h.Look(ctx, keys[0], keys[1])
				if err != nil || len(v.Notes) != 2 {
					t.Errorf("look: %d notes, %v", len(v.Notes), err)
					return
				}
				guard, write := v.Notes[0], v.Notes[1]
				if guard.Key != keys[0] {
					guard, write = write, guard
				}
				_, err = h.Swap(ctx, []store.Note{guard}, note(write.Key, write.Rev, fmt.Sprint(i)))
				if _, conflict := errors.AsType[*store.ConflictError](err); err != nil && !conflict {
					t.Errorf("swap: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}

// takeovers races a holder, which adds tags under the guard of its epoch,
// against another that makes a new epoch. What stands of the old epoch when
// the new one was answered is all that may ever stand.
func takeovers(ctx context.Context, t *T) {
	holder, taker := t.seeded(0), t.handle()
	epoch := t.swap(taker, nil, note("epoch", store.Absent, `0`))
	for round := range 20 {
		guard := epoch
		fenced := make(chan error, 1)
		go func() { fenced <- addUntilRefused(ctx, t, holder, guard, round) }()
		// The moment of the takeover moves through the holder's transaction.
		time.Sleep(time.Duration(round*137%2000) * time.Microsecond)
		epoch = t.swap(taker, nil, note("epoch", guard.Rev, fmt.Sprint(round+1)))
		atTakeover, err := t.Site.Tags(ctx)
		t.need(err, "count")
		t.wantConflict(<-fenced, "epoch", true)
		after, err := t.Site.Tags(ctx)
		t.need(err, "count")
		if len(after) != len(atTakeover) {
			t.Fatalf("round %d: %d tags of the old epoch appeared after the new one was answered", round, len(after)-len(atTakeover))
		}
		if n := len(t.look(taker, "done/")); n != len(after) {
			t.Fatalf("round %d: %d tags and %d notes about them", round, len(after), n)
		}
	}
}

func addUntilRefused(ctx context.Context, t *T, s store.Store, guard store.Note, round int) error {
	for i := 0; ; i++ {
		tag := fmt.Sprintf("%d-%d", round, i)
		_, err := s.Do(ctx, store.Task{
			Action: t.Site.Add(tag), Guard: []store.Note{guard},
			Record: func(store.Progress) []store.Note { return []store.Note{note("done/"+tag, store.Absent, `1`)} },
		})
		if err != nil {
			return err
		}
	}
}

func tasksAtOnce(ctx context.Context, t *T) {
	s := t.seeded(0)
	const workers, each = 8, 3
	var all sync.WaitGroup
	for i := range workers {
		h := s
		if i%2 == 1 {
			h = t.handle()
		}
		all.Go(func() {
			for k := range each {
				key := fmt.Sprintf("done/%d/%d", i, k)
				_, err := h.Do(ctx, store.Task{
					Action: t.Site.Add(key),
					Record: func(store.Progress) []store.Note { return []store.Note{note(key, store.Absent, `1`)} },
				})
				if err != nil {
					t.Errorf("task %s: %v", key, err)
				}
			}
		})
	}
	all.Wait()
	tags, err := t.Site.Tags(ctx)
	t.need(err, "count")
	if n := len(t.look(s, "done/")); len(tags) != workers*each || n != workers*each {
		t.Errorf("%d tags and %d notes, want %d of each", len(tags), n, workers*each)
	}
}
