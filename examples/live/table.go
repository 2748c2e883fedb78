package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// table is what is shown at the end: a line for each phase of the story.
type table struct {
	mu     sync.Mutex
	phases []*phase
}

// phase is a time in which one thing goes on.
type phase struct {
	name        string
	begun, over time.Time
	rows        int64           // changed by the migration
	requests    []time.Duration // of the application, from when each was due
}

// begin ends the phase before, and begins one; that of a step that goes on is
// not begun again.
func (t *table) begin(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if n := len(t.phases); n > 0 {
		if t.phases[n-1].name == name {
			return
		}
		t.phases[n-1].over = now
	}
	t.phases = append(t.phases, &phase{name: name, begun: now})
}

// end ends the last phase.
func (t *table) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phases[len(t.phases)-1].over = time.Now()
}

// rows tells how many rows a step has changed so far.
func (t *table) rows(name string, rows int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.phases {
		if p.name == name && name == "backfill" {
			p.rows = max(p.rows, rows)
		}
	}
}

// request adds a request to the phase in which it was answered.
func (t *table) request(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.phases); n > 0 && t.phases[n-1].over.IsZero() {
		t.phases[n-1].requests = append(t.phases[n-1].requests, took)
	}
}

// print writes the table.
func (t *table) print(out io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%-18s\tseconds\trows/s\twrites\tp50 ms\tp99 ms\tlongest ms\t\n", "phase")
	for _, p := range t.phases {
		seconds := p.over.Sub(p.begun).Seconds()
		speed := ""
		if p.rows > 0 {
			speed = thousands(int64(float64(p.rows) / seconds))
		}
		slices.Sort(p.requests)
		fmt.Fprintf(w, "%-18s\t%.2f\t%s\t%d\t%s\t%s\t%s\t\n", p.name, seconds, speed, len(p.requests),
			p.at(50), p.at(99), p.at(100))
	}
	_ = w.Flush() // as for all lines: whether anybody reads them changes nothing
}

// at is the time within which so many percent of the requests were answered.
func (p *phase) at(percent int) string {
	if len(p.requests) == 0 {
		return ""
	}
	i := min(len(p.requests)*percent/100, len(p.requests)-1)
	return fmt.Sprintf("%.1f", p.requests[i].Seconds()*1000)
}

// thousands writes 243901 as 243,901.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	var groups []string
	for len(text) > 3 {
		groups = append([]string{text[len(text)-3:]}, groups...)
		text = text[:len(text)-3]
	}
	return strings.Join(append([]string{text}, groups...), ",")
}
