package run

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/store"
)

func TestGateHolds(t *testing.T) {
	now := time.Now()
	hard := []store.Signal{{Because: "replica a is 14 s behind"}}
	slow := []store.Signal{{Because: "the probe says 9", Slow: true}}
	for _, c := range []struct {
		name    string
		control book.Control
		signals []store.Signal
		asked   int
		allowed int
		next    time.Duration // until the stretch after it may begin
	}{
		{"nothing holds", book.Control{}, nil, 5000, 5000, 0},
		{"an operator's pause", book.Control{Paused: true}, nil, 5000, 0, 0},
		{"a signal", book.Control{}, hard, 5000, 0, 0},
		{"a signal that slows", book.Control{}, slow, 5000, 200, time.Second},
		{"both", book.Control{}, append(slow, hard...), 5000, 0, 0},
		{"a rate", book.Control{Rate: 1000}, nil, 500, 500, 500 * time.Millisecond},
		{"a rate below the least", book.Control{Rate: 50}, slow, 5000, 50, time.Second},
		{"a rate below one", book.Control{Rate: 0.5}, nil, 5000, 1, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(2, &c.control)
			g.set(c.control, c.signals)
			pause, allowed, _ := g.hold(c.asked, now)
			if allowed != c.allowed || (pause > 0) != (c.allowed == 0) {
				t.Errorf("%d rows, a pause of %s", allowed, pause)
			}
			if pause, _, _ = g.hold(c.asked, now); c.next > 0 && pause != min(c.next, watchEvery) {
				t.Errorf("the next one waits %s, want %s", pause, c.next)
			}
			if held, why := c.allowed == 0 || len(c.signals) > 0, g.why(); held != (why != "") {
				t.Errorf("the reason given is %q", why)
			}
		})
	}
}

func TestGateWakesWhoWaits(t *testing.T) {
	g := newGate(2, &book.Control{Paused: true, Who: "ana"})
	passed := make(chan int)
	go func() {
		for {
			if rows, err := g.pass(context.Background(), 700); rows > 0 || err != nil {
				passed <- rows
				return
			}
		}
	}()
	if why := g.why(); !strings.Contains(why, "by ana") {
		t.Errorf("the reason given is %q", why)
	}
	if !g.set(book.Control{Workers: 5}, nil) {
		t.Error("the end of a pause is no news")
	}
	if rows := <-passed; rows != 700 {
		t.Errorf("%d rows passed", rows)
	}
	if g.workers() != 5 {
		t.Errorf("%d workers", g.workers())
	}
	g.set(book.Control{}, nil)
	if g.workers() != 2 {
		t.Errorf("%d workers, and not what the runner was told", g.workers())
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.pass(ended, 1); err == nil {
		t.Error("it lets pass what was cancelled")
	}
}
