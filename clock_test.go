package stopover

import (
	"context"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// slowClock is a store whose clock is an hour behind that of this machine.
type slowClock struct{ store.Store }

func (s *slowClock) Unwrap() store.Store { return s.Store }

func (s *slowClock) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	view, err := s.Store.Look(ctx, prefixes...)
	view.Now = view.Now.Add(-time.Hour)
	view.Notes = shifted(view.Notes)
	return view, err
}

func (s *slowClock) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	notes, err := s.Store.Swap(ctx, guard, set...)
	return shifted(notes), err
}

func shifted(notes []store.Note) []store.Note {
	for n := range notes {
		notes[n].At = notes[n].At.Add(-time.Hour)
	}
	return notes
}

// TestClockAnHourOff has a machine whose clock is an hour ahead of the store's
// hold a lease: it is alive for everybody else, is renewed, and stops a contract.
func TestClockAnHourOff(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		a := shopWithReleases(t, s)
		join(t, a, "worker", "1.6", "worker-1").Leave(wait(t))
		off := s.app(func(c *Config) {
			for n := range c.Kinds {
				open := c.Kinds[n].Open
				c.Kinds[n].Open = func(ctx context.Context, settings store.Settings) (store.Store, error) {
					inner, err := open(ctx, settings)
					return &slowClock{inner}, err
				}
			}
		})
		i, err := off.Join(wait(t), JoinOptions{Component: "api", Release: "1.6", Instance: "api-1", TTL: 6 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Leave(wait(t))
		i.work.Lock()
		first := i.held[0].rev
		i.work.Unlock()
		eventually(t, func() bool { i.work.Lock(); defer i.work.Unlock(); return i.held[0].rev > first })
		if _, err := a.Cleanup(wait(t), CleanupOptions{}); exitOf(err) != ExitRefused {
			t.Errorf("a contract beside it: %v", err)
		}
		if doc, err := off.Fleet(wait(t)); err != nil || !doc.Components[0].Instances[0].Live {
			t.Errorf("%+v, %v", doc, err)
		}
		if i.Err() != nil {
			t.Errorf("its lease is lost: %v", i.Err())
		}
	})
}
