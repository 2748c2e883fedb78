package wire

import "time"

// EventKind says what is told.
type EventKind string

// The kinds of events.
const (
	EventWaiting   EventKind = "waiting"    // for a lease or a lock; Text says for whom
	EventTakenOver EventKind = "taken over" // a dead runner's lease
	EventBegun     EventKind = "begun"      // a step begins
	EventResumed   EventKind = "resumed"    // a step goes on where an earlier run ended
	EventProgress  EventKind = "progress"
	EventDone      EventKind = "done"
	EventSkipped   EventKind = "skipped"  // not applicable; Text says why
	EventReopened  EventKind = "reopened" // a backfill, by what its verify found
	EventRetry     EventKind = "retry"
	EventPaused    EventKind = "paused"
	EventRepaired  EventKind = "repaired"
	EventHook      EventKind = "hook"
	EventNote      EventKind = "note"
	EventWarning   EventKind = "warning"
	EventFailed    EventKind = "failed"
)

// Event is told while a command runs. One feed serves all renderers.
type Event struct {
	Time       time.Time `json:"time"`
	Kind       EventKind `json:"kind"`
	Store      string    `json:"store,omitempty"`
	Migration  string    `json:"migration,omitempty"`
	Step       string    `json:"step,omitempty"`
	Statement  int       `json:"statement,omitempty"` // where statements run one by one
	Statements int       `json:"statements,omitempty"`
	Rows       int64     `json:"rows,omitempty"`         // changed so far
	Total      int64     `json:"total,omitempty"`        // foreseen; 0: unknown
	Rate       float64   `json:"rate,omitempty"`         // rows a second
	Left       float64   `json:"left_seconds,omitempty"` // 0: unknown
	Percent    float64   `json:"percent,omitempty"`
	Took       float64   `json:"took_seconds,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	Text       string    `json:"text,omitempty"`
}

// Place names what the event is about: "main 0042_currency.backfill".
func (e Event) Place() string { return place(e.Store, e.Migration, e.Step) }
