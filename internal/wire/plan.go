package wire

// Plan is the way to a target, leg by leg.
type Plan struct {
	Head
	Application string    `json:"application"`
	Target      Target    `json:"target"`
	Mode        string    `json:"mode"`     // "live" or "offline"
	Implicit    bool      `json:"implicit"` // no releases are declared: no rollouts, no stops
	Summary     Summary   `json:"summary"`
	Legs        []Leg     `json:"legs"`
	After       []Action  `json:"after"` // contracts, after the soak
	Soak        float64   `json:"soak_seconds"`
	Blocked     []Blocked `json:"blocked"` // not empty: there is no way
	Notes       []string  `json:"notes,omitempty"`
	Inputs      Inputs    `json:"inputs"`
}

// Target is what was asked for.
type Target struct {
	Release string    `json:"release"` // "": a step is the target
	Step    string    `json:"step"`    // "main:0042_currency.backfill"
	From    []Running `json:"from"`    // the fleet at the begin
	Text    string    `json:"text"`    // "shop 1.4.7 -> 1.6"
}

// Running are the live releases of a component.
type Running struct {
	Component string   `json:"component"`
	Releases  []string `json:"releases"`
}

// Summary counts a plan.
type Summary struct {
	Stops    int     `json:"stops"`
	Rollouts int     `json:"rollouts"`
	Switches int     `json:"switches"`
	Steps    int     `json:"steps"`
	Seconds  float64 `json:"seconds"`          // of work foreseen; 0: unknown
	Unknown  int     `json:"unknown"`          // steps without an estimate
	Downtime float64 `json:"downtime_seconds"` // of writers, where the plan is offline
}

// Leg is the way to the next stop.
type Leg struct {
	Stop    *Stop    `json:"stop"` // where it ends; null for the last
	Actions []Action `json:"actions"`
	Back    []Back   `json:"back"` // at its end
}

// Stop is a release, or a range of them, at which the fleet pauses.
type Stop struct {
	From string `json:"from"` // oldest release of the range
	To   string `json:"to"`   // newest of the range; equal to From: only that one
	Text string `json:"text"` // "1.5"
}

// ActionKind says what is done.
type ActionKind string

// The kinds of actions.
const (
	ActStep   ActionKind = "step"   // a step of a migration runs
	ActRoll   ActionKind = "roll"   // a component is rolled out
	ActSwitch ActionKind = "switch" // a rollout and a cutover as one
	ActStop   ActionKind = "halt"   // a component's instances are ended, for an offline step
)

// Action is one thing to do, by Stopover (step) or with the operator (roll,
// switch, halt).
type Action struct {
	Kind       ActionKind `json:"kind"`
	Store      string     `json:"store,omitempty"`
	Migration  string     `json:"migration,omitempty"`
	Step       string     `json:"step,omitempty"`
	Component  string     `json:"component,omitempty"`
	From       []string   `json:"from,omitempty"` // releases that end
	To         string     `json:"to,omitempty"`   // release that starts
	Range      *Stop      `json:"range,omitempty"`
	Because    string     `json:"because"`
	Refuses    []Running  `json:"refuses,omitempty"` // releases that may not start any more from its begin
	Offline    bool       `json:"offline,omitempty"`
	Resumes    bool       `json:"resumes,omitempty"` // it was begun already
	NoReturn   bool       `json:"no_return"`
	NoReturnTo string     `json:"no_return_below,omitempty"` // "1.6": no way back below it without a restore
	Back       []Back     `json:"back"`
	Estimate   *Estimate  `json:"estimate"` // null: unknown
	Statements []SQLPart  `json:"statements,omitempty"`
}

// Back says to which releases a component could go back after an action.
type Back struct {
	Component string   `json:"component"`
	Releases  []string `json:"releases"`
}

// Estimate is a forecast. Zero fields are unknown.
type Estimate struct {
	Seconds float64 `json:"seconds,omitempty"`
	Rows    int64   `json:"rows,omitempty"`
	Bytes   int64   `json:"bytes,omitempty"` // extra disk
	Note    string  `json:"note,omitempty"`
}

// SQLPart is one statement that a step will run, for `plan --sql`.
type SQLPart struct {
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
	Alone bool   `json:"alone,omitempty"` // outside a transaction
	Text  string `json:"text"`
}

// Blocked says why there is no way: the component and release that cannot go
// on, and the step that shuts it out.
type Blocked struct {
	Component string   `json:"component,omitempty"`
	Release   string   `json:"release,omitempty"`
	Step      string   `json:"step,omitempty"`
	Because   string   `json:"because"`
	Repairs   []Repair `json:"repairs"`
}

// Repair is a change that would open a way.
type Repair struct {
	Kind string `json:"kind"` // "release", "dual write", "test", "offline", "wait"
	Text string `json:"text"`
	Next string `json:"next,omitempty"` // the command, where there is one
}

// Inputs are what a plan was computed from. `apply FILE` compares them with the
// present; Changes names what differs.
type Inputs struct {
	Hash      string       `json:"hash"`      // over all below
	Catalogue string       `json:"catalogue"` // sum of components, releases and soak
	Stores    []InputStore `json:"stores"`
	Steps     []InputStep  `json:"steps"`
	Fleet     []Running    `json:"fleet"`
}

// InputStore is a store's state when the plan was made.
type InputStore struct {
	Name     string `json:"name"`
	Place    string `json:"place"`
	Position string `json:"position"`
	Sum      string `json:"sum"` // of what is done, begun and in force
}

// InputStep is a step's section when the plan was made.
type InputStep struct {
	Step string `json:"step"` // "main:0042_currency.backfill"
	Sum  string `json:"sum"`  // of its statements and its directive
}
