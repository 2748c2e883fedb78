package ui

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/stopover-dev/stopover/internal/wire"
)

// Manner is how a Live shows events.
type Manner uint8

// The manners of a Live.
const (
	Silent    Manner = iota // nothing
	Lines                   // a plain line now and then
	Bar                     // one line that is drawn again and again; for terminals
	JSONLines               // every event as one line of JSON
)

// How often a Live says something of one step, by the events' own times.
const (
	lineEvery    = 10 * time.Second
	linePercent  = 10.0
	drawEvery    = 100 * time.Millisecond
	worthTelling = 1.0 // seconds: a step that took less gets no line at its end
)

// Live shows events while a command runs. It may be told events by several
// goroutines at once. It has no clock: the times of the events count.
type Live struct {
	manner Manner
	width  int

	mutex sync.Mutex
	w     io.Writer
	page  page
	last  map[string]mark // by place
	drawn time.Time       // last drawing of the bar
	shown bool            // a line stands that is to be drawn over
	err   error
}

// mark is what was last said of a place.
type mark struct {
	at      time.Time
	percent float64
	kind    wire.EventKind
}

// NewLive makes a Live that writes to w. width is the terminal's, for Bar; 0
// stands for 80. Of look only Color and Zone count.
func NewLive(w io.Writer, manner Manner, look Look, width int) *Live {
	if width <= 0 {
		width = 80
	}
	return &Live{w: w, manner: manner, width: width, page: page{look: look}, last: map[string]mark{}}
}

// Told says whether every step done gets a line that stays, so that the report
// need not list them again.
func (l *Live) Told() bool { return l.manner == Bar }

// Tell shows an event.
func (l *Live) Tell(e wire.Event) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	switch l.manner {
	case JSONLines:
		l.encode(e)
	case Lines:
		l.tellLine(e)
	case Bar:
		l.tellBar(e)
	}
}

// Close takes the bar away. The error is the first that writing met.
func (l *Live) Close() error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.shown {
		l.put("\r\x1b[K")
		l.shown = false
	}
	return l.err
}

func (l *Live) put(text string) {
	if _, err := io.WriteString(l.w, text); err != nil && l.err == nil {
		l.err = fmt.Errorf("show progress: %w", err)
	}
}

func (l *Live) encode(e wire.Event) {
	line, err := json.Marshal(e)
	if err != nil {
		l.err = fmt.Errorf("show progress: %w", err)
		return
	}
	l.put(string(line) + "\n")
}

func (l *Live) tellLine(e wire.Event) {
	place, before := e.Place(), l.last[e.Place()]
	switch e.Kind {
	case wire.EventProgress:
		if e.Time.Sub(before.at) < lineEvery && e.Percent-before.percent < linePercent {
			return
		}
	case wire.EventWaiting, wire.EventPaused:
		if before.kind == e.Kind && e.Time.Sub(before.at) < lineEvery {
			return
		}
	case wire.EventDone:
		delete(l.last, place)
		if before.kind != "" && e.Took < worthTelling {
			return
		}
		l.stay(e)
		return
	}
	l.last[place] = mark{at: e.Time, percent: e.Percent, kind: e.Kind}
	l.stay(e)
}

func (l *Live) tellBar(e wire.Event) {
	switch e.Kind {
	case wire.EventBegun, wire.EventResumed, wire.EventWaiting, wire.EventPaused:
		l.draw(e)
	case wire.EventProgress:
		if e.Time.Sub(l.drawn) >= drawEvery {
			l.draw(e)
		}
	default:
		l.stay(e)
	}
}

// draw shows a line that the next one takes away.
func (l *Live) draw(e wire.Event) {
	text := l.fit(e)
	l.put("\r\x1b[K" + text)
	l.shown, l.drawn = true, e.Time
}

// fit words an event so that it has room on the line: with a shorter bar, or
// none, and cut off if need be.
func (l *Live) fit(e wire.Event) string {
	text := ""
	for _, bar := range []int{20, 10, 0} {
		text = clean(told(e, bar))
		if utf8.RuneCountInString(text) < l.width {
			return text
		}
	}
	return string([]rune(text)[:l.width-1])
}

// stay writes a line that stays.
func (l *Live) stay(e wire.Event) {
	l.page.Reset()
	if l.shown {
		l.page.WriteString("\r\x1b[K")
		l.shown = false
	}
	l.page.line(eventInks[e.Kind], told(e, 0))
	l.put(l.page.String())
}

var eventInks = map[wire.EventKind]ink{
	wire.EventWarning: yellow, wire.EventRetry: yellow, wire.EventReopened: yellow, wire.EventFailed: red,
	wire.EventDone: green, wire.EventSkipped: dim, wire.EventNote: dim,
}

// told puts an event into words, with a bar of so many characters.
func told(e wire.Event, bar int) string {
	var parts []string
	switch e.Kind {
	case wire.EventWaiting, wire.EventTakenOver, wire.EventNote, wire.EventWarning, wire.EventHook:
		word := map[wire.EventKind]string{wire.EventWarning: "warning: ", wire.EventHook: "hook: "}[e.Kind]
		if place := e.Place(); place != "" && (e.Kind != wire.EventWaiting || e.Migration != "") && e.Kind != wire.EventTakenOver {
			word = place + ": " + word
		}
		return word + oneLine(e.Text)
	case wire.EventBegun:
		parts = []string{"begins"}
		if e.Total > 0 {
			parts = append(parts, about(float64(e.Total))+" rows")
		}
	case wire.EventResumed:
		parts = resumed(e)
	case wire.EventProgress:
		parts = progress(e, bar)
	case wire.EventDone:
		parts = []string{"done", span(e.Took)}
		if e.Text == "undone" {
			parts[0], e.Text = e.Text, ""
		}
		if e.Rows > 0 {
			parts = append(parts, rows(e.Rows))
		}
	case wire.EventRetry:
		parts = []string{fmt.Sprintf("tries again (%d)", e.Attempt)}
	case wire.EventSkipped:
		parts = []string{"not applicable"}
	case wire.EventReopened:
		parts = []string{"opened again by its verify"}
		if e.Rows > 0 {
			parts = append(parts, rows(e.Rows)+" left")
		}
	default: // paused, repaired, failed
		parts = []string{string(e.Kind)}
	}
	text := strings.Join(nonempty(e.Place(), strings.Join(parts, "  ")), "  ")
	if e.Text != "" {
		text += ": " + oneLine(e.Text)
	}
	return text
}

func resumed(e wire.Event) []string {
	if e.Total == 0 {
		if e.Statements > 1 {
			return []string{fmt.Sprintf("goes on at statement %d of %d", e.Statement, e.Statements)}
		}
		return []string{"goes on"}
	}
	return append([]string{fmt.Sprintf("goes on at %.0f %%", e.Percent)}, progress(e, 0)[1:]...)
}

// progress gives [how far, rows, rate, time left], without what is not known.
func progress(e wire.Event, bar int) []string {
	var parts []string
	switch {
	case e.Total > 0:
		far := fmt.Sprintf("%.0f %%", e.Percent)
		if bar > 0 {
			full := min(max(int(e.Percent/100*float64(bar)+0.5), 0), bar)
			far = fmt.Sprintf("[%s%s] %5s", strings.Repeat("#", full), strings.Repeat("-", bar-full), far)
		}
		parts = append(parts, far, fmt.Sprintf("%s of %s rows", about(float64(e.Rows)), about(float64(e.Total))))
	case e.Statements > 1:
		parts = append(parts, fmt.Sprintf("statement %d of %d", e.Statement, e.Statements))
	default:
		parts = append(parts, about(float64(e.Rows))+" rows")
	}
	if e.Rate > 0 {
		parts = append(parts, about(e.Rate)+" rows/s")
	}
	if e.Left > 0 {
		parts = append(parts, span(e.Left)+" left")
	}
	return parts
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
