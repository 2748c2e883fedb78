package plan

import "time"

// ActionKind says what an action is.
type ActionKind uint8

// The kinds of actions.
const (
	DoStep   ActionKind = iota + 1 // run one step of a migration
	DoRoll                         // bring a component to a release; with From empty: start it there
	DoSwitch                       // cut over and roll the components that write the store, in one
	DoHalt                         // end every instance of a component; offline ways only
)

var actionNames = [...]string{DoStep: "step", DoRoll: "roll", DoSwitch: "switch", DoHalt: "halt"}

// String gives the kind as it is written in documents.
func (k ActionKind) String() string {
	if k < DoStep || k > DoHalt {
		return "unknown"
	}
	return actionNames[k]
}

// Plan is a way from a state to a goal, or the proof that there is none
// (Blocked). It is data: nothing has been done.
type Plan struct {
	From []Standing // the fleet at the beginning, in the catalogue's order
	Goal Goal

	Legs  []Leg    // in order; empty if nothing has to be done or there is no way
	After []Action // what follows the last rollout: steps that wait for the whole fleet, then contracts, after the soak

	Blocked []Block // why there is no way; empty if there is one
	Later   []Wait  // steps that are pending and not part of this plan

	Stops    int // pauses of the whole fleet: one less than there are legs
	Rollouts int // components brought to another release; switches and starts count for each component
	Steps    int // steps in Legs and After

	Soak     time.Duration // least time between the last rollout and a contract
	Work     time.Duration // sum of the known estimates of all steps
	Downtime time.Duration // sum of the known estimates of the steps that run while a component is halted
	Unknown  int           // steps without an estimate
}

// Standing is what runs of one component.
type Standing struct {
	Component string
	Releases  []int // ascending; empty: no instance
}

// Leg is the way between two stops: steps first, then switches, then rolls.
type Leg struct {
	Actions []Action
	Stop    *Stop // where the fleet pauses after the leg; nil for the last one
}

// Stop is where the fleet pauses. Any release from First to Last will do.
type Stop struct {
	First, Last int           // listed releases, by index
	Fleet       []Standing    // what runs then, if every roll went to its first release
	Soak        time.Duration // least pause, because the next leg runs a contract; 0: none
}

// Action is one thing to do.
type Action struct {
	Kind ActionKind

	Step StepID   // DoStep and DoSwitch: what runs
	Also []StepID // DoSwitch: further cutovers that happen in the same action

	Component string // DoRoll, DoSwitch, DoHalt: what moves
	From      []int  // releases that are alive before; empty: none
	To        int    // oldest release that will do; NoRelease for steps and halts
	ToUpto    int    // newest release that will do just as well; at least To
	Moves     []Move // DoSwitch: further components that move in the same action

	Because  string        // component, release and step that make it necessary
	Estimate time.Duration // of a step or a switch; 0: unknown
	NoReturn string        // set on a point of no return: what there is no way back to without a restore
	Refused  string        // which releases are refused from its begin on; "" if none that were possible before
	Back     []BackTo      // where one can go back to after it, by component
}

// Move is one component's part of a switch.
type Move struct {
	Component string
	From      []int
	To        int
	ToUpto    int
}

// BackTo says what may be started of a component: the releases at or below its
// own whose gate passes. Withdrawn ones are left out.
type BackTo struct {
	Component string
	Releases  []int // ascending; empty: none but what runs
}

// Wait is a pending step that a plan leaves alone.
type Wait struct {
	Step    StepID
	Because string
}

// Block is one reason why there is no way.
type Block struct {
	Component string // "" if no component is the reason
	Release   int    // of the component; NoRelease if none is
	Step      StepID // zero if no step is the reason
	Because   string // a sentence
	Repairs   []Repair
}

// RepairKind says how a way could be made.
type RepairKind uint8

// The kinds of repairs.
const (
	Bridge    RepairKind = iota + 1 // a release that can live on both sides
	DualWrite                       // the store itself writes both forms
	Widen                           // a test shows that an older release can live with the step
	Offline                         // stop what is in the way
)

var repairNames = [...]string{Bridge: "bridge", DualWrite: "dual-write", Widen: "widen", Offline: "offline"}

// String gives the kind as it is written in documents.
func (k RepairKind) String() string {
	if k < Bridge || k > Offline {
		return "unknown"
	}
	return repairNames[k]
}

// Repair is something that would open a way.
type Repair struct {
	Kind     RepairKind
	Text     string // a sentence
	First    int    // Bridge, Widen: the range of releases it is about; else NoRelease
	Last     int
	Downtime time.Duration // Offline: sum of the known estimates
	Plan     *Plan         // Offline: the plan
}

// Reason is one sentence of a refusal, and what it is about.
type Reason struct {
	Component string // "" if none
	Release   int    // NoRelease if none
	Step      StepID // zero if none
	Because   string
	Shut      bool // a floor in force shuts the release out
	Floor     int  // if Shut: the release that it asks for
}

// Refusal says why something may not be done now. Empty means that it may.
type Refusal []Reason

// String joins the sentences.
func (r Refusal) String() string {
	text := ""
	for i, reason := range r {
		if i > 0 {
			text += "; "
		}
		text += reason.Because
	}
	return text
}
