package redismodel

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// writer is a goroutine with its own keys and connections.
type writer struct {
	run    *Run
	keys   []*key
	link   *link
	at     int // place of its side in the run's
	chance *rand.Rand
	report Written
}

// beforeEnd is for how long a key is left alone before its end, in milliseconds:
// it may have ended when the write is there.
const beforeEnd = 100

// afterEnd is the same behind the end, which depends on the server's clock.
func (w *writer) afterEnd() int64 { return 20 + w.run.model.options.Tolerance.Milliseconds() }

func (w *writer) work() {
	defer func() { w.link.close() }()
	var pace time.Duration
	if rate := w.run.model.options.Rate; rate > 0 {
		pace = time.Second * time.Duration(len(w.run.writers)) / time.Duration(rate)
	}
	// The writers begin spread over one interval, not all at once.
	due := time.Now().Add(time.Duration(w.chance.Int64N(int64(pace) + 1)))
	for w.run.ctx.Err() == nil {
		w.sleep(time.Until(due))
		if !w.write() {
			return
		}
		// What could not be written in a pause is not made up for.
		due = later(due.Add(pace), time.Now().Add(-100*time.Millisecond))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *writer) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-w.run.ctx.Done():
	case <-time.After(d):
	}
}

// write performs one write, on the next side when it is denied on this one. It
// is false when the run is over.
func (w *writer) write() bool {
	since := time.Now()
	shutOut := false
	for w.run.ctx.Err() == nil {
		switch w.attempt(w.pick()) {
		case denied:
			w.report.Denied++
			shutOut = true
			if !w.cross() {
				return false
			}
		case unsent:
			return false
		case answered:
			w.run.acked.Add(1)
			pause := time.Since(since)
			w.report.Pause = max(w.report.Pause, pause)
			if shutOut {
				w.report.Crossing = max(w.report.Crossing, pause)
			}
			return true
		default:
			return true
		}
	}
	return false
}

// pick chooses a key that is not about to end.
func (w *writer) pick() *key {
	for {
		for range 100 {
			k := w.keys[w.chance.IntN(len(w.keys))]
			if now := time.Now().UnixMilli(); k.until == 0 || now < k.until-beforeEnd || now > k.until+w.afterEnd() {
				return k
			}
		}
		w.sleep(time.Millisecond)
		if w.run.ctx.Err() != nil {
			return w.keys[0] // it is not written any more
		}
	}
}

func (w *writer) attempt(k *key) fate {
	if w.run.ctx.Err() != nil {
		return unsent
	}
	op := k.next(w.link.side.name(k), time.Now().UnixMilli(), w.chance)
	answer, fate, err := w.link.do(w.run.ctx, op.args...)
	switch fate {
	case answered:
		w.report.count(op.args[0].(string))
		// The key may have ended before the server had the write, or not.
		crossed := k.until != 0 && time.Now().UnixMilli() >= k.until-w.afterEnd()
		if got := fmt.Sprint(answer); got != op.want && !k.unsure && !crossed {
			w.report.Wrong++
			w.report.sample("%v: answer %s, want %s; before: %s", op.args, got, op.want, k)
		}
		*k, op.after.unsure = op.after, k.unsure || crossed
		k.unsure = op.after.unsure
	case refused:
		if !k.unsure {
			w.report.Refused++
			w.report.sample("%v: %v; before: %s", op.args, err, k)
		}
	case unknown:
		w.report.Unknown++
		k.unsure = true
	}
	return fate
}

// cross waits for the side after the one that denied.
func (w *writer) cross() bool {
	w.run.waiting.Add(1)
	defer w.run.waiting.Add(-1)
	for {
		side, more := w.run.side(w.at + 1)
		if more == nil {
			w.link.close()
			w.link = newLink(side)
			w.at++
			return true
		}
		select {
		case <-more:
		case <-w.run.ctx.Done():
			return false
		}
	}
}
