package wire

// Report says what apply, init, verify, cleanup, rollback or adopt did, and
// what is left.
type Report struct {
	Head
	Application string      `json:"application"`
	To          string      `json:"to"` // the target, as text; "" where there is none
	Did         []Deed      `json:"did"`
	Skipped     []Skip      `json:"skipped"`    // not applicable, with the reason
	Violations  []Violation `json:"violations"` // what verify found
	Refused     []Refusal   `json:"refused"`
	Drift       []Drift     `json:"drift"`
	Stop        *Stop       `json:"stop"`  // the stop that was reached; null: none
	Rolls       []Action    `json:"rolls"` // what to roll there
	Left        Left        `json:"left"`
	Seconds     float64     `json:"seconds"`
}

// DeedKind says what was done.
type DeedKind string

// The kinds of deeds.
const (
	DeedStep    DeedKind = "step"
	DeedReverse DeedKind = "reverse" // a step was undone
	DeedVerify  DeedKind = "verify"  // a proof ran clean
	DeedAdopt   DeedKind = "adopt"   // a step was recorded, not run
	DeedRepair  DeedKind = "repair"  // remains of a crash were taken away
	DeedStamp   DeedKind = "stamp"   // the books were made
	DeedHook    DeedKind = "hook"    // a command of the user's ran
)

// Deed is one thing done.
type Deed struct {
	Kind      DeedKind `json:"kind"`
	Store     string   `json:"store"`
	Migration string   `json:"migration"`
	Step      string   `json:"step"`
	Rows      int64    `json:"rows"` // changed; -1: not known
	Seconds   float64  `json:"seconds"`
	Resumed   bool     `json:"resumed"` // it went on where an earlier run ended
	Swept     int      `json:"swept"`   // times that a backfill was opened again by its verify
	Note      string   `json:"note,omitempty"`
}

// Skip is a step that is not applicable.
type Skip struct {
	Store     string `json:"store"`
	Migration string `json:"migration"`
	Step      string `json:"step"`
	Because   string `json:"because"`
}

// Violation is what a verify query found.
type Violation struct {
	Store     string   `json:"store"`
	Migration string   `json:"migration"`
	Step      string   `json:"step"`
	Rows      int64    `json:"rows"`
	Sample    []string `json:"sample"` // the first of them, one line each
	File      string   `json:"file,omitempty"`
	Line      int      `json:"line,omitempty"`
}

// Refusal is a step that was not run, and why.
type Refusal struct {
	Store     string   `json:"store"`
	Migration string   `json:"migration"`
	Step      string   `json:"step"`
	Because   string   `json:"because"`
	Evidence  []string `json:"evidence"` // who is in the way, one line each
}

// Drift is a store that differs from what its position says.
type Drift struct {
	Store string   `json:"store"`
	Lines []string `json:"lines"`
}

// Left counts what is still to do.
type Left struct {
	Pending int `json:"pending"` // steps, without contracts
	Later   int `json:"later"`   // contracts
}

// Check is what the gate says.
type Check struct {
	Head
	State     CheckState   `json:"state"`
	Component string       `json:"component"`
	Release   string       `json:"release"`
	Stores    []StoreCheck `json:"stores"`
}

// CheckState is the gate's answer. Its exit codes are 0, 3 and 6.
type CheckState string

// The answers of the gate.
const (
	Ready   CheckState = "ready"
	Pending CheckState = "pending"
	TooNew  CheckState = "too new"
)

// StoreCheck is one store's part of a Check.
type StoreCheck struct {
	Name     string     `json:"name"`
	State    CheckState `json:"state"`
	Position string     `json:"position"`
	Because  string     `json:"because"`
	Pending  []string   `json:"pending"` // of the steps that the release needs, the first that is not done
	Floors   []Floor    `json:"floors"`  // that shut it out
}

// Unlock says who holds the stores, and what was cleared.
type Unlock struct {
	Head
	Stores []StoreUnlock `json:"stores"`
}

// StoreUnlock is one store's part of an Unlock.
type StoreUnlock struct {
	Name    string `json:"name"`
	Lease   *Lease `json:"lease"` // null: free
	Cleared bool   `json:"cleared"`
	Because string `json:"because"`
}
