package stopover

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// StartPage answers over HTTP whether an instance has started, and what it waits
// for as long as it has not, so that a slow migration is not taken for a dead
// server. Its zero value waits. It is served from before Ready on:
//
//	http.Handle("/started", page)
//	app.Ready(ctx, ReadyOptions{.., Mode: ReadyWait, Progress: page.Waits})
//	instance, err := app.Join(..)
//	page.Started(instance)
//
// The status is 503 until Started, 200 from then on, and 503 again when the
// lease is lost. The body is a line of text, or a StartState as JSON for whoever
// accepts application/json.
type StartPage struct {
	mu       sync.Mutex
	waiting  Waiting
	told     time.Time // when waiting was told
	instance *Instance
}

// StartState is what a StartPage says as JSON.
type StartState struct {
	State   string  `json:"state"`   // waiting, started or lost
	Text    string  `json:"text"`    // for people
	Seconds float64 `json:"seconds"` // waited so far; 0 when it has started
	Gate    *Gate   `json:"gate,omitempty"`
}

// The states of a StartPage.
const (
	StateWaiting = "waiting"
	StateStarted = "started"
	StateLost    = "lost"
)

// Waits takes what is waited for. It is made to be ReadyOptions.Progress.
func (p *StartPage) Waits(w Waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting, p.told = w, time.Now()
}

// Started tells that the instance is in.
func (p *StartPage) Started(i *Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instance = i
}

// State is what the page shows now.
func (p *StartPage) State() StartState {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.instance == nil && p.told.IsZero():
		return StartState{State: StateWaiting, Text: "the gate is being asked"}
	case p.instance == nil:
		return StartState{State: StateWaiting, Text: p.waiting.Text, Gate: p.waiting.Gate,
			Seconds: (p.waiting.For + time.Since(p.told)).Seconds()}
	case p.instance.Err() != nil:
		return StartState{State: StateLost, Text: p.instance.Err().Error()}
	}
	return StartState{State: StateStarted, Text: p.instance.ask.Component + " " + p.instance.ask.Release + " runs as " + p.instance.Name()}
}

// ServeHTTP answers one request.
func (p *StartPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	state := p.State()
	status := http.StatusServiceUnavailable
	if state.State == StateStarted {
		status = http.StatusOK
	}
	w.Header().Set("Cache-Control", "no-store")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(state) // whoever asked may have gone
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	line := state.State + ": " + state.Text
	if state.Seconds >= 1 {
		line += fmt.Sprintf(" (for %s)", time.Duration(state.Seconds*float64(time.Second)).Round(time.Second))
	}
	fmt.Fprintln(w, line)
}
