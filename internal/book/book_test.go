package book

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/sqlite"
	"github.com/stopover-dev/stopover/store"
)

const ttl = 300 * time.Millisecond

// newStore gives a prepared store in a file, and a second handle on it.
func newStore(t *testing.T) (store.Store, store.Store) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "shop.db")
	var handles [2]store.Store
	for i := range handles {
		s, err := sqlite.Kind().Open(t.Context(), store.Settings{Name: "main", URL: "sqlite:" + name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		handles[i] = s
	}
	if err := handles[0].Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return handles[0], handles[1]
}

func acquire(t *testing.T, s store.Store, ask Ask) *Lease {
	t.Helper()
	if ask.TTL == 0 {
		ask.TTL = ttl
	}
	lease, err := Acquire(t.Context(), s, ask)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lease.Release)
	return lease
}

func TestLeaseIsRenewedPastItsTimeToLive(t *testing.T) {
	s, other := newStore(t)
	lease := acquire(t, s, Ask{Host: "a", PID: 1})
	_, err := Acquire(t.Context(), other, Ask{Host: "b", TTL: ttl, Wait: 4 * ttl})
	var held *HeldError
	if !errors.As(err, &held) || held.Holder.Host != "a" || held.Holder.PID != 1 {
		t.Fatalf("a live lease was not respected: %v", err)
	}
	if lease.Context().Err() != nil {
		t.Fatal("the holder believes that it was displaced")
	}
}

func TestLeaseGivenBackIsFreeAtOnce(t *testing.T) {
	s, other := newStore(t)
	first := acquire(t, s, Ask{Host: "a", TTL: time.Hour})
	first.Release()
	second := acquire(t, other, Ask{Host: "b"})
	if second.Taken != nil {
		t.Errorf("a lease that was given back was taken over from %+v", second.Taken)
	}
	if second.Holder.Epoch != first.Holder.Epoch+1 {
		t.Errorf("epochs %d, then %d", first.Holder.Epoch, second.Holder.Epoch)
	}
}

// TestDeadHolder takes a lease over from a holder that does not renew, and
// shows that the holder can write nothing any more.
func TestDeadHolder(t *testing.T) {
	s, other := newStore(t)
	dead := acquire(t, s, Ask{Host: "a", PID: 7})
	close(dead.stop) // as if its process had stopped
	dead.renewing.Wait()
	dead.once.Do(func() {})
	next := acquire(t, other, Ask{Host: "b", Wait: 10 * ttl})
	if next.Taken == nil || next.Taken.PID != 7 {
		t.Errorf("it does not say from whom it was taken: %+v", next.Taken)
	}
	line := Line{Migration: "0001_a", Kind: plan.Expand, Begun: time.Now()}
	if err := dead.Write(t.Context(), line.Note()); !errors.Is(err, ErrDisplaced) {
		t.Fatalf("a displaced holder wrote: %v", err)
	}
	if err := next.Write(t.Context(), line.Note()); err != nil {
		t.Fatal(err)
	}
}

func TestDisplacedHolderIsTold(t *testing.T) {
	s, other := newStore(t)
	lease := acquire(t, s, Ask{Host: "a"})
	// Somebody clears the epoch behind its back, as a takeover does.
	view, err := other.Look(t.Context(), keyEpoch)
	if err != nil {
		t.Fatal(err)
	}
	moved := store.Note{Key: keyEpoch, Value: []byte(`{"epoch": 99}`), Rev: view.Notes[0].Rev}
	if _, err := other.Swap(t.Context(), nil, moved); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lease.Context().Done():
		if !errors.Is(context.Cause(lease.Context()), ErrDisplaced) {
			t.Errorf("its context ended for another reason: %v", context.Cause(lease.Context()))
		}
	case <-time.After(20 * ttl):
		t.Fatal("the next renewal did not notice")
	}
}

func TestManyAskAtOnce(t *testing.T) {
	s, other := newStore(t)
	var wait sync.WaitGroup
	var mu sync.Mutex
	holders, most := 0, 0
	epochs := map[int64]bool{}
	for i := range 12 {
		wait.Go(func() {
			handle := []store.Store{s, other}[i%2]
			lease, err := Acquire(t.Context(), handle, Ask{Host: "h", PID: i, TTL: 5 * time.Second, Wait: time.Minute})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			holders++
			most = max(most, holders)
			epochs[lease.Holder.Epoch] = true
			mu.Unlock()
			if err := lease.Write(t.Context(), RouteNote(nil)); err != nil {
				t.Error(err)
			}
			mu.Lock()
			holders--
			mu.Unlock()
			lease.Release()
		})
	}
	wait.Wait()
	if most != 1 || len(epochs) != 12 {
		t.Errorf("%d held it at once, %d epochs for 12 holders", most, len(epochs))
	}
}

func TestClear(t *testing.T) {
	s, other := newStore(t)
	if cleared, holder, err := Clear(t.Context(), s); cleared || holder != nil || err != nil {
		t.Fatalf("a free lease: %v, %v, %v", cleared, holder, err)
	}
	lease := acquire(t, s, Ask{Host: "a"})
	var held *HeldError
	if cleared, _, err := Clear(t.Context(), other); cleared || !errors.As(err, &held) {
		t.Fatalf("a live lease was cleared: %v, %v", cleared, err)
	}
	close(lease.stop)
	lease.renewing.Wait()
	lease.once.Do(func() {})
	for range 100 {
		cleared, holder, err := Clear(t.Context(), other)
		if cleared {
			if holder.Host != "a" || err != nil {
				t.Errorf("cleared %+v, %v", holder, err)
			}
			if err := lease.Write(t.Context(), RouteNote(nil)); !errors.Is(err, ErrDisplaced) {
				t.Errorf("the holder of a cleared lease wrote: %v", err)
			}
			return
		}
		time.Sleep(ttl / 10) // the store's clock has to pass the time to live
	}
	t.Fatal("a dead lease was never cleared")
}

// TestBooksReadBack writes every kind of note and reads it.
func TestBooksReadBack(t *testing.T) {
	s, other := newStore(t)
	lease := acquire(t, s, Ask{Host: "a", Operator: "ana", Command: "apply"})
	now := time.Date(2026, 11, 20, 10, 0, 0, 5e6, time.UTC)
	line := Line{Migration: "0042_currency", Kind: plan.Backfill, Sum: "abc", Begun: now, Done: now.Add(time.Second), Rows: 41,
		Writers: "1.5", Finished: []string{"x"}, Doing: 2, Sweeps: 1, Operator: "ana"}
	cursor := Cursor{Migration: "0043_more", Kind: plan.Backfill, At: []byte(`["7"]`), Rows: 3, Total: 9, Size: 500}
	if err := lease.Stamp(t.Context(), Stamp{ID: "id", Application: "shop", Since: now, Fresh: true}, line.Note(), cursor.Note(),
		RouteNote(&Route{To: "1.9", Who: "ana", Since: now})); err != nil {
		t.Fatal(err)
	}
	state, err := Read(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	got := state.Lines[Step{"0042_currency", plan.Backfill}]
	if got.Sum != "abc" || !got.Begun.Equal(now) || !got.IsDone() || got.Rows != 41 || got.Writers != "1.5" || got.Doing != 2 || got.Finished[0] != "x" {
		t.Errorf("the line came back as %+v", got)
	}
	if got := state.Cursors[Step{"0043_more", plan.Backfill}]; string(got.At) != `["7"]` || got.Total != 9 || got.Size != 500 {
		t.Errorf("the cursor came back as %+v", got)
	}
	if state.Stamp == nil || state.Stamp.ID != "id" || !state.Stamp.Fresh || state.Route == nil || state.Route.To != "1.9" {
		t.Errorf("stamp %+v, route %+v", state.Stamp, state.Route)
	}
	if state.Holder == nil || state.Holder.Operator != "ana" || state.Holder.Left(state.Now) <= 0 {
		t.Errorf("holder %+v", state.Holder)
	}
	if lease.Session() != "stopover/id/1" {
		t.Errorf("session %q", lease.Session())
	}
	if err := lease.Write(t.Context(), cursor.Gone()); err != nil {
		t.Fatal(err)
	}
	if state, err = Read(t.Context(), other); err != nil || len(state.Cursors) != 0 {
		t.Errorf("the cursor is still there: %v, %v", state.Cursors, err)
	}
}

func TestReversedLineIsNeitherDoneNorBegun(t *testing.T) {
	line := Line{Begun: time.Now(), Done: time.Now(), Reversed: time.Now()}
	if line.IsDone() || line.IsBegun() {
		t.Error("a step that was taken back counts")
	}
}

func TestDamagedNoteIsNamed(t *testing.T) {
	s, _ := newStore(t)
	for key, value := range map[string]string{"ledger/0001_a/expand": `{"begun": 7}`, "ledger/nonsense": `{}`, "lease": `[]`} {
		note := store.Note{Key: key, Value: []byte(value), Rev: store.Any}
		if _, err := s.Swap(t.Context(), nil, note); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), s); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("a damaged note %s: %v", key, err)
		}
		if _, err := s.Swap(t.Context(), nil, store.Note{Key: key, Rev: store.Any}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDisplacedSessions(t *testing.T) {
	lease := &Lease{Holder: Holder{Epoch: 7}, stampID: "abc"}
	cases := []struct {
		session store.Session
		want    bool
	}{
		{store.Session{Name: "stopover/abc/6"}, true},
		{store.Session{Name: "stopover/abc/7"}, false},
		{store.Session{Name: "stopover/abc/8"}, false},
		{store.Session{Name: "stopover/abcd/6"}, false}, // another application in the same database
		{store.Session{Name: "stopover/abc/6", Own: true}, false},
		{store.Session{Name: "stopover/abc/x"}, false},
		{store.Session{Name: "psql"}, false},
	}
	for _, c := range cases {
		if got := lease.Displaced(c.session); got != c.want {
			t.Errorf("%q: %v", c.session.Name, got)
		}
	}
	nobody := &Lease{Holder: Holder{Epoch: 7}}
	if nobody.Displaced(store.Session{Name: "stopover//6"}) {
		t.Error("a lease on a store without a stamp ended somebody's session")
	}
}
