package run

import (
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
)

// Stretches are bounded by time, not by rows: what a writer of the application
// waits for is the time that rows stay locked.
const (
	stretchTime  = 50 * time.Millisecond
	firstStretch = 500     // rows
	longStretch  = 100_000 // rows, where rows are so cheap that time does not bound them
	growth       = 1.2
	tellEvery    = 200 * time.Millisecond
	rateShare    = 0.1 // of the newest measurement in the rate that is told
)

// Where others work on the same table, stretches are also bounded by their share
// of the table: a writer of random rows meets that many locks. With a half
// percent for all workers together, of a hundred writers one at most waits for
// one of them, so that it stays out of the slowest percent.
const (
	tableShare   = 200 // the stretches of all workers are at most this fraction of the table
	leastStretch = 200 // rows, below which no share goes
)

// sizer chooses the size of stretches.
type sizer struct {
	size    int  // rows of the next stretch
	most    int  // rows
	settled bool // the first leaps are over
}

func newSizer(size, most int) sizer {
	if size == 0 {
		size = firstStretch
	}
	return sizer{size: min(size, most), most: most}
}

// shareOf is the longest stretch of each of the workers for a table with so many
// rows; 0: unknown.
func shareOf(total int64, workers int) int {
	if total == 0 {
		return longStretch
	}
	return int(min(max(total/tableShare/int64(workers), leastStretch), longStretch))
}

// fit grows slowly while stretches are short, and halves at once when one was
// too long. At the very beginning it may leap: a stretch that took a tenth of
// its time tells nothing yet.
func (s *sizer) fit(took time.Duration) {
	next := float64(s.size)
	switch {
	case took > stretchTime*3/2:
		next /= 2
		s.settled = true
	case took < stretchTime/10 && !s.settled:
		next *= 2
	case took < stretchTime:
		next = max(next*growth, next+1)
		s.settled = true
	}
	s.size = max(1, min(int(next), s.most))
}

// shrink makes the next stretch a fraction of this one, and no larger than what
// was tried.
func (s *sizer) shrink(tried, by int) {
	s.size, s.settled = max(1, min(s.size, tried)/by), true
}

// pace reckons rate and time left, and says when it is time to tell of them.
type pace struct {
	sizer
	rows  int64 // changed
	seen  int64 // gone through, changed or not
	total int64
	rate  float64 // rows a second, smoothed
	told  time.Time
	since int64 // seen when last told
}

func newPace(cursor book.Cursor, now time.Time) *pace {
	return &pace{sizer: newSizer(cursor.Size, longStretch), rows: cursor.Changed(), seen: cursor.Seen(), since: cursor.Seen(),
		total: cursor.Total, told: now}
}

// reached takes over how far the work got.
func (p *pace) reached(rows, seen int64) { p.rows, p.seen = rows, seen }

// due gives a progress event when the last one is old enough.
func (p *pace) due(now time.Time) (wire.Event, bool) {
	passed := now.Sub(p.told)
	if passed < tellEvery {
		return wire.Event{}, false
	}
	rate := float64(p.seen-p.since) / passed.Seconds()
	if p.rate > 0 {
		rate = p.rate + rateShare*(rate-p.rate)
	}
	p.rate, p.told, p.since = rate, now, p.seen
	return p.event(wire.EventProgress), true
}

func (p *pace) event(kind wire.EventKind) wire.Event {
	e := wire.Event{Kind: kind, Rows: p.rows, Total: p.total, Rate: max(p.rate, 0)}
	if p.total > 0 {
		e.Percent = min(100, 100*float64(p.seen)/float64(p.total))
	}
	if p.rate > 0 && p.total > p.seen {
		e.Left = float64(p.total-p.seen) / p.rate
	}
	return e
}
