package run

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// A lock that is free after ten seconds must be had within a second or so more;
// one that is held for minutes is not asked for all the time.
func TestPausesAtALock(t *testing.T) {
	for spent, want := range map[time.Duration][2]time.Duration{
		0:                {75 * time.Millisecond, 125 * time.Millisecond},
		time.Second:      {75 * time.Millisecond, 125 * time.Millisecond},
		10 * time.Second: {600 * time.Millisecond, 1100 * time.Millisecond},
		5 * time.Minute:  {2250 * time.Millisecond, 3750 * time.Millisecond},
	} {
		if least, most := lockPause(spent, 0), lockPause(spent, 1); least < want[0] || most > want[1] {
			t.Errorf("after %s: %s to %s, want %s to %s", spent, least, most, want[0], want[1])
		}
	}
}

func TestWaitsForALockGrowSlowly(t *testing.T) {
	const first = 50 * time.Millisecond
	before := time.Duration(0)
	for spent := time.Duration(0); spent < time.Hour; spent += 10 * time.Second {
		wait := lockWait(first, spent)
		if wait < before || wait > longestWait || spent <= waitGrows && wait != first {
			t.Fatalf("after %s: %s", spent, wait)
		}
		before = wait
	}
	if before != longestWait {
		t.Errorf("after an hour: %s", before)
	}
	if wait := lockWait(3*time.Second, time.Hour); wait != 3*time.Second {
		t.Errorf("a long first wait became %s", wait)
	}
}

func TestPatienceEndsWithWhoWasSeen(t *testing.T) {
	p := patience{since: time.Now().Add(-time.Minute), locks: 30 * time.Second}
	seen := &store.LockedError{Waited: 50 * time.Millisecond, By: []store.Session{{ID: "311", User: "ana"}}}
	unseen := &store.LockedError{Waited: 70 * time.Millisecond}
	for _, err := range []error{seen, unseen} {
		if _, more := p.pause(err); more {
			t.Fatal("it goes on for ever")
		}
	}
	if text := p.event(unseen).Text; !strings.Contains(text, "session 311, user ana") {
		t.Errorf("it is told: %q", text)
	}
	gaveUp, is := errors.AsType[*GaveUpError](p.over(unseen))
	if !is || gaveUp.Tries != 2 || len(gaveUp.Locked.By) != 1 || gaveUp.Locked.Waited != unseen.Waited {
		t.Errorf("it ends with %+v", gaveUp)
	}
	if other := errors.New("no lock"); p.over(other) != other {
		t.Error("another error is changed")
	}
}
