package run

import (
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/store"
)

// Stretches are bounded by time, not by rows: what a writer of the application
// waits for is the time that rows stay locked.
const (
	stretchTime  = 50 * time.Millisecond
	firstStretch = 500     // rows
	longStretch  = 100_000 // rows, where rows are so cheap that time does not bound them
	growth       = 1.2
	tellEvery    = 200 * time.Millisecond
)

// pace chooses the size of stretches and reckons rate and time left.
type pace struct {
	size    int // rows of the next stretch
	rows    int64
	total   int64
	begun   time.Time // of this run
	at      int64     // rows when it begun
	scanned int64     // rows asked for in this run, changed or not
	told    time.Time
}

func newPace(cursor book.Cursor, now time.Time) *pace {
	size := cursor.Size
	if size == 0 {
		size = firstStretch
	}
	return &pace{size: size, rows: cursor.Rows, at: cursor.Rows, total: cursor.Total, begun: now, told: now}
}

// took learns from a stretch.
func (p *pace) took(progress store.Progress, cursor book.Cursor) {
	p.rows = cursor.Rows
	p.scanned += int64(p.size)
	p.size = nextSize(p.size, progress.Took)
}

// nextSize grows slowly while stretches are short, and halves at once when one
// was too long. At the very beginning it may leap: a stretch that took a tenth
// of its time tells nothing yet.
func nextSize(size int, took time.Duration) int {
	next := float64(size)
	switch {
	case took > stretchTime*3/2:
		next /= 2
	case took < stretchTime/10:
		next *= 2
	case took < stretchTime:
		next *= growth
	}
	return max(1, min(int(next), longStretch))
}

// due gives a progress event when the last one is old enough.
func (p *pace) due(now time.Time) (wire.Event, bool) {
	if now.Sub(p.told) < tellEvery {
		return wire.Event{}, false
	}
	p.told = now
	return p.event(wire.EventProgress, now), true
}

func (p *pace) event(kind wire.EventKind, now time.Time) wire.Event {
	e := wire.Event{Kind: kind, Rows: p.rows, Total: p.total}
	if p.total > 0 {
		e.Percent = min(100, 100*float64(p.rows)/float64(p.total))
	}
	if run := now.Sub(p.begun).Seconds(); run > 0 && p.rows > p.at {
		e.Rate = float64(p.rows-p.at) / run
		if p.total > p.rows {
			e.Left = float64(p.total-p.rows) / e.Rate
		}
	}
	return e
}
