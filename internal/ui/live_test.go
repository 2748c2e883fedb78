package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// at gives an event of main 0042_currency.backfill, some seconds after noon.
func at(seconds float64, kind wire.EventKind, change ...func(*wire.Event)) wire.Event {
	e := wire.Event{Time: noon.Add(time.Duration(seconds * float64(time.Second))), Kind: kind, Store: "main", Migration: "0042_currency", Step: "backfill"}
	for _, c := range change {
		c(&e)
	}
	return e
}

func far(rows int64, percent float64) func(*wire.Event) {
	return func(e *wire.Event) {
		e.Rows, e.Total, e.Percent, e.Rate, e.Left = rows, 41_000_000, percent, 31_000, 840
	}
}

func saying(text string) func(*wire.Event) { return func(e *wire.Event) { e.Text = text } }

// story is a run that finds a dead runner's backfill and finishes it.
func story() []wire.Event {
	waiting := func(s float64, left int) wire.Event {
		return wire.Event{Time: noon.Add(time.Duration(s * float64(time.Second))), Kind: wire.EventWaiting, Store: "main",
			Text: fmt.Sprintf("waiting for the lease of laptop-7 (pid 311, ana, last renewed 12 s ago): free in %d s", left)}
	}
	return []wire.Event{
		waiting(0, 3), waiting(1, 2), waiting(2, 1),
		{Time: noon.Add(3 * time.Second), Kind: wire.EventTakenOver, Store: "main", Text: "took over the lease of laptop-7"},
		at(3, wire.EventResumed, far(15_700_000, 38)),
		at(3.05, wire.EventProgress, far(15_710_000, 38.1)), // too soon to be drawn
		at(4, wire.EventProgress, far(15_800_000, 38.5)),
		at(13.5, wire.EventProgress, far(16_000_000, 39)), // ten seconds
		at(15, wire.EventProgress, far(20_500_000, 50)),   // ten percent
		at(16, wire.EventRetry, func(e *wire.Event) { e.Attempt = 2 }, saying("no lock\nwithin 3 s")),
		at(600, wire.EventDone, func(e *wire.Event) { e.Rows, e.Took = 41_000_000, 597 }),
		at(600, wire.EventReopened, func(e *wire.Event) { e.Rows = 7 }),
		at(601, wire.EventBegun, func(e *wire.Event) { e.Step = "verify" }),
		at(601.2, wire.EventDone, func(e *wire.Event) { e.Step, e.Took = "verify", 0.2 }),
		at(602, wire.EventDone, func(e *wire.Event) { e.Migration, e.Step, e.Took = "0043_tiny", "expand", 0.01 }),
		at(602, wire.EventSkipped, func(e *wire.Event) { e.Migration = "0044_geo" }, saying("no extension postgis")),
		at(602, wire.EventProgress, func(e *wire.Event) { e.Migration, e.Statement, e.Statements = "0045_index", 2, 3 }),
		at(603, wire.EventRepaired, saying("dropped an invalid index")),
		at(603, wire.EventPaused, saying("replica is 12 s behind")),
		at(604, wire.EventPaused, saying("replica is 11 s behind")),
		{Time: noon, Kind: wire.EventHook, Text: "./backup.sh ran"},
		at(605, wire.EventWarning, saying("the table has no key")),
		{Time: noon, Kind: wire.EventNote, Text: "a note"},
		at(606, wire.EventFailed, saying("stopped")),
	}
}

func live(t *testing.T, manner Manner, look Look, width int, events []wire.Event) string {
	t.Helper()
	var out strings.Builder
	l := NewLive(&out, manner, look, width)
	for _, e := range events {
		l.Tell(e)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestLiveLines(t *testing.T) {
	golden(t, "live_lines.txt", live(t, Lines, Look{}, 0, story()))
}

func TestLiveBar(t *testing.T) {
	out := live(t, Bar, Look{}, 0, story())
	golden(t, "live_bar.txt", strings.ReplaceAll(strings.ReplaceAll(out, "\r\x1b[K", "<"), "\x1b", "ESC"))
}

func TestLiveSilent(t *testing.T) {
	if out := live(t, Silent, Look{}, 0, story()); out != "" {
		t.Errorf("got %q", out)
	}
}

func TestLiveJSON(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(live(t, JSONLines, Look{}, 0, story())), "\n")
	if len(lines) != len(story()) {
		t.Fatalf("%d lines for %d events", len(lines), len(story()))
	}
	for i, line := range lines {
		var e wire.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e != story()[i] {
			t.Errorf("%s: got %+v, %v", line, e, err)
		}
	}
}

// A bar that is wider than the terminal would leave its remains behind.
func TestLiveBarIsNeverWiderThanTheTerminal(t *testing.T) {
	for width := 1; width < 120; width++ {
		out := live(t, Bar, Look{}, width, []wire.Event{at(0, wire.EventProgress, far(15_700_000, 38))})
		for _, part := range strings.Split(out, "\r\x1b[K") {
			if n := len([]rune(part)); n >= width {
				t.Errorf("width %d: %d characters: %q", width, n, part)
			}
		}
	}
}

// On a narrow terminal the bar gives way to the rate and the time left.
func TestLiveBarGivesWay(t *testing.T) {
	for width, want := range map[int]string{
		120: "main 0042_currency.backfill  [########------------]  38 %  15.7 M of 41 M rows  31k rows/s  14 min left",
		95:  "main 0042_currency.backfill  [####------]  38 %  15.7 M of 41 M rows  31k rows/s  14 min left",
		82:  "main 0042_currency.backfill  38 %  15.7 M of 41 M rows  31k rows/s  14 min left",
	} {
		out := live(t, Bar, Look{}, width, []wire.Event{at(0, wire.EventProgress, far(15_700_000, 38))})
		if got := strings.Trim(out, "\r\x1b[K"); got != want {
			t.Errorf("width %d: %q", width, got)
		}
	}
}

// Whatever the bar drew is gone at the end, and what is written in between
// stands on lines of its own.
func TestLiveBarLeavesNothingBehind(t *testing.T) {
	out := live(t, Bar, Look{}, 0, []wire.Event{at(0, wire.EventBegun), at(1, wire.EventNote, saying("hello")), at(2, wire.EventBegun)})
	if want := "\r\x1b[Kmain  begins"; strings.Contains(out, want) {
		t.Errorf("got %q", out)
	}
	if !strings.HasSuffix(out, "\r\x1b[K") || !strings.Contains(out, "\r\x1b[Kmain 0042_currency.backfill: hello\n") {
		t.Errorf("got %q", out)
	}
}

func TestLiveColours(t *testing.T) {
	if out := live(t, Lines, Look{Color: true}, 0, []wire.Event{at(0, wire.EventFailed)}); out != "\x1b[31mmain 0042_currency.backfill  failed\x1b[0m\n" {
		t.Errorf("got %q", out)
	}
}

func TestLiveTold(t *testing.T) {
	for manner, want := range map[Manner]bool{Silent: false, Lines: false, Bar: true, JSONLines: false} {
		if got := NewLive(nil, manner, Look{}, 0).Told(); got != want {
			t.Errorf("%d: got %v", manner, got)
		}
	}
}

// counter counts writes and lines; with the mutex of Live it needs none.
type counter struct{ text strings.Builder }

func (c *counter) Write(b []byte) (int, error) { return c.text.Write(b) }

func TestLiveManyAtOnce(t *testing.T) {
	out := &counter{}
	l := NewLive(out, Lines, Look{}, 0)
	var group sync.WaitGroup
	for store := range 8 {
		group.Go(func() {
			for i := range 50 {
				l.Tell(wire.Event{Time: noon.Add(time.Duration(i) * time.Second), Kind: wire.EventNote, Store: fmt.Sprint("s", store), Text: "x"})
			}
		})
	}
	group.Wait()
	if got := strings.Count(out.text.String(), ": x\n"); got != 400 {
		t.Errorf("%d whole lines", got)
	}
}

func TestLiveReportsAFailingWriter(t *testing.T) {
	for _, manner := range []Manner{Lines, Bar, JSONLines} {
		l := NewLive(closed{}, manner, Look{}, 0)
		l.Tell(at(0, wire.EventNote, saying("x")))
		if err := l.Close(); fmt.Sprint(err) != "show progress: pipe closed" {
			t.Errorf("%d: got %v", manner, err)
		}
	}
}
