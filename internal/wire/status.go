package wire

import "time"

// Status says where every store stands.
type Status struct {
	Head
	Application string        `json:"application"`
	Route       *Route        `json:"route"` // null: no route is under way
	Stores      []StoreStatus `json:"stores"`
}

// Route is the target of a route that is under way.
type Route struct {
	To    string    `json:"to"`
	Who   string    `json:"who"`
	Since time.Time `json:"since"`
}

// StoreState says in one word how a store stands to the catalogue.
type StoreState string

// The states of a store.
const (
	StateCurrent     StoreState = "current"     // nothing to do but contracts, if any
	StatePending     StoreState = "pending"     // steps are left
	StateEmpty       StoreState = "empty"       // nothing in it yet
	StateUnstamped   StoreState = "unstamped"   // data, but no books
	StateNewer       StoreState = "newer"       // ahead of the catalogue
	StateTrouble     StoreState = "trouble"     // missing or edited files, or drift
	StateUnreachable StoreState = "unreachable" // Problem says why
)

// StoreStatus is one store's part of a Status.
type StoreStatus struct {
	Name     string     `json:"name"`
	Kind     string     `json:"kind"`
	Place    string     `json:"place"`  // without secrets
	Server   string     `json:"server"` // "PostgreSQL 15.18"; "" if not known
	State    StoreState `json:"state"`
	Position string     `json:"position"` // newest migration done without gaps; "": none
	Done     int        `json:"done"`
	Pending  int        `json:"pending"`         // steps to do, without contracts
	Later    int        `json:"later"`           // contracts to do
	Skipped  int        `json:"skipped"`         // steps not applicable here
	Skips    []string   `json:"skips,omitempty"` // why, a line each
	Begun    *Begun     `json:"begun"`           // null: no step is begun and not done
	Lease    *Lease     `json:"lease"`           // null: nobody holds it
	Control  *Control   `json:"control"`         // null: nobody has throttled its backfills
	Floors   []Floor    `json:"floors"`          // in force
	Drift    []string   `json:"drift"`           // a sentence each
	Newer    []string   `json:"newer"`           // steps in the ledger from a newer release
	Missing  []string   `json:"missing"`         // steps in the ledger without a file
	Edited   []string   `json:"edited"`          // steps that were changed after they were applied
	Late     []string   `json:"late"`            // migrations not applied, older than applied ones
	Evidence []string   `json:"evidence"`        // what is in an unstamped store
	Problem  *Error     `json:"problem"`
}

// Begun is a step that was begun and is not done.
type Begun struct {
	Migration  string    `json:"migration"`
	Step       string    `json:"step"`
	Since      time.Time `json:"since"`
	Rows       int64     `json:"rows"`
	Total      int64     `json:"total"`      // 0: unknown
	Percent    float64   `json:"percent"`    // 0 where Total is unknown
	Statement  int       `json:"statement"`  // statements done, where they run one by one
	Statements int       `json:"statements"` // 0: the step is one piece
	Cursor     string    `json:"cursor"`     // the last key done
	Host       string    `json:"host"`
	Operator   string    `json:"operator"`
}

// Lease says who holds a store.
type Lease struct {
	Host     string    `json:"host"`
	PID      int       `json:"pid"`
	Operator string    `json:"operator"`
	Command  string    `json:"command"`
	Since    time.Time `json:"since"`
	Renewed  float64   `json:"renewed_seconds"` // ago, on the store's clock
	FreeIn   float64   `json:"free_in_seconds"` // 0: its time to live is over
	Live     bool      `json:"live"`
	Epoch    int64     `json:"epoch"`
}

// Control is how an operator wants backfills to go.
type Control struct {
	Workers int       `json:"workers"` // 0: as the runner was told
	Rate    float64   `json:"rate"`    // rows a second; 0: no limit
	Paused  bool      `json:"paused"`
	Who     string    `json:"who"`
	Since   time.Time `json:"since"`
}

// Throttle tells how the backfills of stores are to go from now on.
type Throttle struct {
	Head
	Stores []StoreThrottle `json:"stores"`
}

// StoreThrottle is one store's part of a Throttle.
type StoreThrottle struct {
	Name    string   `json:"name"`
	Control *Control `json:"control"` // null: nothing is asked for any more
	Begun   *Begun   `json:"begun"`   // what it is about now; null: nothing runs
}

// Floor is the oldest release that may be alive on a store.
type Floor struct {
	Role    string `json:"role"` // "writers" or "readers"
	Release string `json:"release"`
	Because string `json:"because"` // the step
}

// List is every step of every store.
type List struct {
	Head
	Application string      `json:"application"`
	Stores      []StoreList `json:"stores"`
}

// StoreList is one store's part of a List.
type StoreList struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Steps []Step `json:"steps"`
}

// StepState says how a step stands.
type StepState string

// The states of a step.
const (
	StepDone          StepState = "done"
	StepBegun         StepState = "begun"
	StepPending       StepState = "pending"
	StepContract      StepState = "contract" // a contract, to be run by cleanup
	StepNotApplicable StepState = "not applicable"
	StepMissing       StepState = "missing" // in the ledger, without a file
	StepEdited        StepState = "edited"  // done, and changed since
	StepNewer         StepState = "newer"   // in the ledger, by a newer release
)

// Step is one line of a List.
type Step struct {
	Migration string     `json:"migration"`
	Step      string     `json:"step"`
	State     StepState  `json:"state"`
	Because   string     `json:"because,omitempty"` // for not applicable, missing, edited, newer
	File      string     `json:"file,omitempty"`
	Line      int        `json:"line,omitempty"`
	Writers   string     `json:"writers,omitempty"`
	Readers   string     `json:"readers,omitempty"`
	Needs     string     `json:"needs,omitempty"`
	Offline   bool       `json:"offline,omitempty"`
	Reverse   bool       `json:"reverse"` // can be undone
	Begun     *time.Time `json:"begun"`
	Done      *time.Time `json:"done"`
	Seconds   float64    `json:"seconds"`
	Rows      int64      `json:"rows"` // changed; -1: not known
	Sum       string     `json:"sum"`  // of the section
	Release   string     `json:"release,omitempty"`
	Host      string     `json:"host,omitempty"`
	Operator  string     `json:"operator,omitempty"`
}
