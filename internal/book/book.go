// Package book keeps a store's books over its notes: who may change it (lease
// and epoch), what was done to it (ledger), how far an unfinished step got
// (cursor) and whose it is (stamp). It is written once, for all kinds of
// stores; what a note's value looks like is decided here and nowhere else.
//
// It decides nothing about steps: package plan does. The invariant: a change
// of the books is guarded by the epoch of the lease under which it was decided.
//
// The notes:
//
//	format                      {"format": 1}                 written by the store itself
//	stamp                       whose store this is, since when
//	epoch                       the guard; its revision changes when the lease changes hands
//	lease                       the holder; renewed by rewriting it
//	ledger/MIGRATION/STEP       one line a step
//	cursor/MIGRATION/STEP       how far a backfill got
//	cursor/MIGRATION/STEP/N     how far its span with this number got, where it has spans
//	control                     how an operator wants long work to go; written without the lease
//	route                       the target of an upgrade under way
//	proposal                    the floors of a step that is about to begin, under the lease
//	fleet/COMPONENT/INSTANCE    the lease of a running process of the application
//	gate/COMPONENT              since which release its processes hold leases
//	attest/component/NAME       what an operator vouches for, until when
//	attest/client/NAME          the same of a client that holds no lease
package book

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

const (
	keyStamp     = "stamp"
	keyEpoch     = "epoch"
	keyLease     = "lease"
	keyRoute     = "route"
	keyControl   = "control"
	ledgerPrefix = "ledger/"
	cursorPrefix = "cursor/"
)

// Stamp says whose store this is. It is written once.
type Stamp struct {
	ID          string    `json:"id"` // random; names the store in session names and plan files
	Application string    `json:"application,omitempty"`
	Since       time.Time `json:"since"`
	// Fresh: the store was empty and its first run has not come to its end.
	// Until then contracts run as part of it: there is no data and no fleet.
	Fresh bool `json:"fresh,omitempty"`
}

// Route is the target of an upgrade that is under way over several stops, so
// that two pipelines with different targets do not pull at one store.
type Route struct {
	To    string    `json:"to"`
	Who   string    `json:"who"`
	Since time.Time `json:"since"`
}

// Line is what the ledger says of one step.
type Line struct {
	Migration string    `json:"-"`
	Kind      plan.Kind `json:"-"`
	Sum       string    `json:"sum,omitempty"`
	Begun     time.Time `json:"begun"`
	Done      time.Time `json:"done,omitzero"`
	Rows      int64     `json:"rows,omitempty"`
	Release   string    `json:"release,omitempty"` // of the runner
	Host      string    `json:"host,omitempty"`
	Operator  string    `json:"operator,omitempty"`

	// The floors that are in force from Begun on, as release ids, so that a
	// program whose files do not have the step can tell whether it may run. Both
	// are "" where the step declares none.
	Writers string `json:"writers,omitempty"`
	Readers string `json:"readers,omitempty"`

	// Finished are the checksums of the statements done, where a step is
	// performed statement by statement. Doing is the number (from 1) of a
	// statement outside a transaction that was begun and whose end is not
	// recorded; 0: none.
	Finished []string `json:"finished,omitempty"`
	Doing    int      `json:"doing,omitempty"`

	Sweeps   int       `json:"sweeps,omitempty"`   // times that a backfill was opened again by verify
	Skipped  string    `json:"skipped,omitempty"`  // why the step did not apply here
	Baseline bool      `json:"baseline,omitempty"` // adopted: recorded without running it
	Reversed time.Time `json:"reversed,omitzero"`  // taken back by rollback; the step counts as not done
}

// ID gives the step's identity in the store with this name.
func (l Line) ID(storeName string) plan.StepID {
	return plan.StepID{Store: storeName, Migration: l.Migration, Kind: l.Kind}
}

// IsDone tells whether the step counts as done.
func (l Line) IsDone() bool { return !l.Done.IsZero() && l.Reversed.IsZero() }

// IsBegun tells whether the step was begun and is neither done nor taken back.
func (l Line) IsBegun() bool { return l.Done.IsZero() && l.Reversed.IsZero() }

func lineKey(migration string, kind plan.Kind) string {
	return ledgerPrefix + migration + "/" + kind.String()
}

// Note encodes the line for writing under a guard of the lease: whatever stood
// there is replaced.
func (l Line) Note() store.Note {
	l.Begun, l.Done, l.Reversed = stamped(l.Begun), stamped(l.Done), stamped(l.Reversed)
	return encode(lineKey(l.Migration, l.Kind), l)
}

// encode never fails: the values are this package's own plain structs.
func encode(key string, value any) store.Note {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("book: encode %s: %v", key, err))
	}
	return store.Note{Key: key, Value: text, Rev: store.Any}
}

// stamped cuts a time to what the books keep: UTC, milliseconds.
func stamped(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// splitKey takes "MIGRATION/STEP" apart.
func splitKey(rest string) (migration string, kind plan.Kind, ok bool) {
	slash := strings.LastIndexByte(rest, '/')
	if slash < 1 {
		return "", 0, false
	}
	kind, ok = plan.ParseKind(rest[slash+1:])
	return rest[:slash], kind, ok
}
