// Package plan decides: given what an application's developers declared and
// where its stores and its fleet stand, it computes which steps, rollouts and
// switches lead to a release, in which order, with which stops, and why.
//
// It is pure. No context, no clock, no input or output, no JSON, no third
// party: the same inputs give the same plan, to the byte. It knows nothing of
// stores beyond their names; package store knows nothing of it. Only the root
// package joins the two.
//
// The invariant that makes it exact: every rule has the form "progress is at
// least k", so an action once allowed stays allowed while others go forward.
package plan

import (
	"fmt"
	"strings"
	"time"
)

// Kind says which of a migration's steps a step is. The values are ordered as
// the steps stand in a migration.
type Kind uint8

// The kinds of steps.
const (
	Expand Kind = iota + 1
	Backfill
	Verify
	Cutover
	Contract
)

var kindNames = [...]string{Expand: "expand", Backfill: "backfill", Verify: "verify", Cutover: "cutover", Contract: "contract"}

// String gives the kind as it is written in migrations, commands and JSON.
func (k Kind) String() string {
	if k < Expand || k > Contract {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// ParseKind is the inverse of Kind.String.
func ParseKind(text string) (Kind, bool) {
	for k := Expand; k <= Contract; k++ {
		if kindNames[k] == text {
			return k, true
		}
	}
	return 0, false
}

// Role is how a component uses a store.
type Role uint8

// The roles. A component that is not listed for a store does not use it.
const (
	Unused    Role = iota
	ReadOnly       // "ro": meets the readers' floors
	ReadWrite      // "rw": meets the writers' floors and the readers'
)

// StepID names a step everywhere: in plans, in the ledger, on the screen.
type StepID struct {
	Store     string
	Migration string
	Kind      Kind
}

// String gives the form that a person reads in plans and errors:
// "main 0042_currency.backfill".
func (id StepID) String() string {
	return id.Store + " " + id.Migration + "." + id.Kind.String()
}

// Ref gives the form that a person types: "main:0042_currency.backfill".
func (id StepID) Ref() string {
	return id.Store + ":" + id.Migration + "." + id.Kind.String()
}

// ParseStepID reads what Ref writes. A reference without a step has Kind 0.
func ParseStepID(text string) (StepID, error) {
	store, rest, found := strings.Cut(text, ":")
	if !found || store == "" || rest == "" {
		return StepID{}, fmt.Errorf("%q is not STORE:MIGRATION or STORE:MIGRATION.STEP", text)
	}
	id := StepID{Store: store, Migration: rest}
	if dot := strings.LastIndexByte(rest, '.'); dot > 0 {
		kind, known := ParseKind(rest[dot+1:])
		if !known {
			return StepID{}, fmt.Errorf("%q: %q is not a step (expand, backfill, verify, cutover, contract)", text, rest[dot+1:])
		}
		id.Migration, id.Kind = rest[:dot], kind
	}
	return id, nil
}

// NoRelease stands where no release is declared.
const NoRelease = -1

// Release is one shipped version of the components. Releases are referred to
// by their index in Catalogue.Releases, which is ascending; how ids are parsed
// and ordered is the business of whoever fills the catalogue.
type Release struct {
	ID        string
	Withdrawn bool   // never rolled to; may still be alive
	Unlisted  bool   // not in the catalogue's list: seen in the fleet or asked for as a target
	Peers     []Peer // other components' releases that this one cannot start without

	// Line names the side branch that the release was built on; "" is the main
	// line. A release on a side line has what its Base has (the main-line
	// release at which the branch was cut; NoRelease: nothing), what earlier
	// releases on the same line have, and what it Contains.
	Line     string
	Base     int
	Contains []int
}

// Peer is a condition of a release on another component.
type Peer struct {
	Component string
	AtLeast   int // index of a release
}

// Component is one deployable part of the application.
type Component struct {
	Name string
	Uses map[string]Role // by store name
}

// Step is one planner-visible action of a migration.
type Step struct {
	ID       StepID
	Writers  int // floor: oldest release that may be alive as a writer while and after the step ran; NoRelease: unchanged
	Readers  int // the same for readers
	Needs    int // first release that needs the step; NoRelease: none says so
	Requires []StepID
	Offline  bool          // may run only while no writer of its store is alive
	Reverse  bool          // an undo-section exists
	Skip     string        // not applicable here, with the reason; "" otherwise
	Estimate time.Duration // 0: unknown
}

// Catalogue is everything that was declared, resolved: names are known,
// releases are ordered. Steps of one store stand in the order of its
// migrations; within a migration in the order of kinds.
type Catalogue struct {
	Application string
	Components  []Component
	Releases    []Release
	Steps       []Step
	Soak        time.Duration // least time between the last rollout and a contract

	// Implicit is set where no releases are declared: then there is one
	// release, "head", that needs every step but contracts, and rollouts are
	// not part of plans.
	Implicit bool
}

// Floor is the oldest release that may be alive on a store, by role, as a
// ledger tells it. Floors of steps that the catalogue explains need not be
// given: they follow from Done and Begun.
type Floor struct {
	Store   string
	Role    Role
	Release int
	Because string // the step that put it in force
}

// State is where the stores and the fleet stand.
type State struct {
	Done   map[StepID]bool
	Begun  map[StepID]bool  // begun and not done: its floors are in force
	Fleet  map[string][]int // live releases by component; a missing component has no instance
	Floors []Floor
}

// Goal is what is asked for: a release (of all components), or a step with
// everything before it.
type Goal struct {
	Release int    // NoRelease: only Step counts
	Step    StepID // zero: only Release counts; Kind 0: all steps of the migration but its contract
	Offline bool   // offline steps are permitted
}
