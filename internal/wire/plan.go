package wire

// Plan is the way to a target, leg by leg, or why there is none.
type Plan struct {
	Head
	Application string `json:"application"`
	Target      Target `json:"target"`
	Implicit    bool   `json:"implicit"` // no releases are declared: no rollouts, no stops
	Way
	Blocked []Blocked `json:"blocked"` // not empty: there is no way
	Later   []Wait    `json:"later"`   // steps that are pending and not part of this plan
	Notes   []string  `json:"notes,omitempty"`
	Inputs  Inputs    `json:"inputs"`
}

// Way is what is to be done, in order.
type Way struct {
	Mode    string   `json:"mode"` // "live" or "offline"
	Summary Summary  `json:"summary"`
	Legs    []Leg    `json:"legs"`
	After   []Action `json:"after"`        // after the last rollout: what waits for the whole fleet, then contracts
	Soak    float64  `json:"soak_seconds"` // least time between the last rollout and a contract
}

// Wait is a pending step that a plan leaves alone.
type Wait struct {
	Step    string `json:"step"` // "main:0044_old.contract"
	Because string `json:"because"`
}

// Target is what was asked for.
type Target struct {
	Release string    `json:"release"` // "": a step is the target
	Step    string    `json:"step"`    // "main:0042_currency.backfill"
	Offline bool      `json:"offline"` // offline steps are permitted
	From    []Running `json:"from"`    // the fleet at the begin
	Text    string    `json:"text"`    // "shop 1.4.7 -> 1.6"
}

// Running are the live releases of a component.
type Running struct {
	Component string   `json:"component"`
	Releases  []string `json:"releases"` // ascending
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
	Range
	Fleet []Running `json:"fleet"`        // what runs then
	Soak  float64   `json:"soak_seconds"` // least pause, because the next leg runs a contract
}

// Range is a range of releases of which any will do.
type Range struct {
	From string `json:"from"`
	To   string `json:"to"`   // equal to From: only that one is listed
	Text string `json:"text"` // "1.5", "1.5 to 1.7"
}

// ActionKind says what is done.
type ActionKind string

// The kinds of actions.
const (
	ActStep   ActionKind = "step"   // a step of a migration runs
	ActRoll   ActionKind = "roll"   // a component is rolled out
	ActSwitch ActionKind = "switch" // rollouts and cutovers as one
	ActHalt   ActionKind = "halt"   // a component's instances are ended, for an offline step
)

// Action is one thing to do, by Stopover (step) or with the operator (roll,
// switch, halt).
type Action struct {
	Kind         ActionKind `json:"kind"`
	Store        string     `json:"store,omitempty"`
	Migration    string     `json:"migration,omitempty"`
	Step         string     `json:"step,omitempty"`
	Component    string     `json:"component,omitempty"`
	From         []string   `json:"from,omitempty"`  // releases that end
	To           string     `json:"to,omitempty"`    // release that starts
	Range        *Range     `json:"range,omitempty"` // what will do as well as To; none: only To
	Also         []Part     `json:"also,omitempty"`  // what else happens in the same switch
	Because      string     `json:"because"`
	Refuses      string     `json:"refuses,omitempty"` // which releases may not start any more from its begin
	Offline      bool       `json:"offline,omitempty"`
	Resumes      bool       `json:"resumes,omitempty"` // it was begun already
	NoReturn     bool       `json:"no_return"`
	NoReturnText string     `json:"no_return_text,omitempty"` // "no return below 1.6 without a restore"
	Back         []Back     `json:"back"`
	Estimate     *Estimate  `json:"estimate"` // null: unknown
	Statements   []SQLPart  `json:"statements,omitempty"`
}

// Part is a further step, or a further component, of a switch.
type Part struct {
	Step      string   `json:"step,omitempty"` // "cache:0007_hashtag.cutover"
	Component string   `json:"component,omitempty"`
	From      []string `json:"from,omitempty"`
	To        string   `json:"to,omitempty"`
	Range     *Range   `json:"range,omitempty"`
}

// Back says to which releases a component could go back after an action.
type Back struct {
	Component string   `json:"component"`
	Releases  []string `json:"releases"` // ascending; empty: none but what runs
}

// Estimate is a forecast. Zero fields are unknown.
type Estimate struct {
	Seconds float64 `json:"seconds,omitempty"`
	Rows    int64   `json:"rows,omitempty"`
	Bytes   int64   `json:"bytes,omitempty"`     // extra disk
	Memory  int64   `json:"memory,omitempty"`    // extra memory of a store that is in memory
	Log     int64   `json:"log_bytes,omitempty"` // of write-ahead log
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
	Kind     string  `json:"kind"` // "bridge", "dual-write", "widen", "offline"
	Text     string  `json:"text"`
	Range    *Range  `json:"range,omitempty"` // the releases that it is about
	Downtime float64 `json:"downtime_seconds,omitempty"`
	Next     string  `json:"next,omitempty"` // the command, where there is one
	Way      *Way    `json:"way,omitempty"`  // where the repair is to stop what is in the way
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
