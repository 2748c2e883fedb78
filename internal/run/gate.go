package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

const (
	watchEvery = time.Second      // an operator's control and the store's signals are looked at
	pausedTell = 10 * time.Second // how often a pause that lasts is told of
	leastRate  = 200.0            // rows a second, below which no signal that is Slow goes
)

// gate holds workers up between two stretches: while an operator or the store
// wants a pause, and as long as a rate asks for.
type gate struct {
	mutex   sync.Mutex
	staff   int // workers, where the control does not say
	control book.Control
	signals []store.Signal
	next    time.Time     // when the next stretch may begin, under a rate
	news    chan struct{} // closed when anything has changed
}

func newGate(staff int, control *book.Control) *gate {
	g := &gate{staff: staff, news: make(chan struct{})}
	if control != nil {
		g.control = *control
	}
	return g
}

// changed gives a channel that is closed when the control or the signals change.
func (g *gate) changed() <-chan struct{} {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.news
}

// workers is how many are wanted now.
func (g *gate) workers() int {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.control.Workers > 0 {
		return min(g.control.Workers, MaxWorkers)
	}
	return g.staff
}

// set takes over what was seen and tells whether it differs from before.
func (g *gate) set(control book.Control, signals []store.Signal) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	before := g.reason()
	same := control == g.control && slices.Equal(g.signals, signals)
	g.control, g.signals = control, signals
	if !same {
		close(g.news)
		g.news = make(chan struct{})
	}
	return g.reason() != before
}

// pass gives how many of the rows wanted may be gone through now; 0: the caller
// was held up for a while, and asks again.
func (g *gate) pass(ctx context.Context, rows int) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	pause, rows, news := g.hold(rows, time.Now())
	if pause == 0 {
		return rows, nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-news:
	case <-timer.C:
	}
	return 0, nil
}

// hold decides: a pause, or so many rows at once.
func (g *gate) hold(rows int, now time.Time) (pause time.Duration, allowed int, news <-chan struct{}) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.stopped() {
		return watchEvery, 0, g.news
	}
	rate := g.control.Rate
	if len(g.signals) > 0 && (rate == 0 || rate > leastRate) {
		rate = leastRate
	}
	if rate == 0 {
		g.next = time.Time{}
		return 0, rows, g.news
	}
	if wait := g.next.Sub(now); wait > 0 {
		return min(wait, watchEvery), 0, g.news
	}
	rows = max(1, min(rows, int(rate)))
	g.next = now.Add(time.Duration(float64(rows) / rate * float64(time.Second)))
	return 0, rows, g.news
}

// stopped tells whether nothing at all may go on; the mutex is held.
func (g *gate) stopped() bool {
	return g.control.Paused || slices.ContainsFunc(g.signals, func(s store.Signal) bool { return !s.Slow })
}

// reason says why work is held up; "": it is not. The mutex is held.
func (g *gate) reason() string {
	var because []string
	if g.control.Paused {
		because = append(because, fmt.Sprintf("by %s since %s, until throttle --resume", g.control.Who, g.control.Since.Format(time.RFC3339)))
	}
	for _, s := range g.signals {
		because = append(because, s.Because)
	}
	text := strings.Join(because, "; ")
	if text != "" && !g.stopped() {
		text = fmt.Sprintf("slowed to %.0f rows/s: %s", leastRate, text)
	}
	return text
}

// why is reason for others.
func (g *gate) why() string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.reason()
}

// watch looks at the control and the signals until the context ends, and tells
// of pauses. What cannot be seen for the moment stays as it was.
func (f *filling) watch(ctx context.Context) {
	told := time.Time{}
	if why := f.gate.why(); why != "" {
		f.r.tell(wire.Event{Kind: wire.EventPaused, Text: why}, f.w.ID)
		told = time.Now()
	}
	for sleep(ctx, watchEvery) == nil {
		control, signals := f.look(ctx)
		if ctx.Err() != nil {
			return
		}
		differs := f.gate.set(control, signals)
		why := f.gate.why()
		switch {
		case why != "" && (differs || time.Since(told) > pausedTell):
			f.r.tell(wire.Event{Kind: wire.EventPaused, Text: why}, f.w.ID)
			told = time.Now()
		case why == "" && differs:
			f.r.tell(wire.Event{Kind: wire.EventNote, Text: "goes on"}, f.w.ID)
		}
	}
}

// look asks the books and the store.
func (f *filling) look(ctx context.Context) (book.Control, []store.Signal) {
	limited, cancel := context.WithTimeout(ctx, 5*watchEvery)
	defer cancel()
	now, signals := f.gate.seen()
	if control, err := book.ReadControl(limited, f.r.Store); err == nil {
		now = book.Control{}
		if control != nil {
			now = *control
		}
	}
	if watcher, able := store.As[store.Watcher](f.r.Store); able {
		if found, err := watcher.Signals(limited, f.w.Action, f.r.Lease.Session()); err == nil {
			signals = found
		}
	}
	return now, signals
}

func (g *gate) seen() (book.Control, []store.Signal) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.control, g.signals
}
