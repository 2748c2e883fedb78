package stopovertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover"
)

// Code is what a release does to a store, in its own statements.
type Code struct {
	Release   string
	Component string   // "": any
	Writes    []string // each must work; they are run again at every position
	Reads     []string // queries: each must work and find something
}

// Window is what two releases promise: that they live together while a store
// goes from one position to another.
type Window struct {
	Store    string
	From, To string // STORE:MIGRATION[.STEP]; To "": all but contracts
	Old, New Code
	// Record is a file in which the tested window is kept, "" for none: one entry
	// for each store and pair of releases.
	Record string
}

// Tested is a window as it is recorded: what of old code was seen to work where.
type Tested struct {
	Store    string   `json:"store"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Old      string   `json:"old"`
	New      string   `json:"new"`
	OldWorks []string `json:"old_works"` // steps beside and behind which the old release's statements work
	NewWorks []string `json:"new_works"`
	// Propose says what a directive could say, in the catalogue's words: floors
	// that are higher than they have to be.
	Propose []string `json:"propose,omitempty"`
}

// Window takes a store through a window, step by step, there, back as far as
// there is a way back, and there again. At every position, and in the middle of
// every step, where a run has died, the statements of a release run if the gate
// lets that release start there; the test fails if one does not work. Where the
// gate refuses the old release and its statements work all the same, Propose
// names the floor that could be lower.
func (k *Kit) Window(w Window) Tested {
	k.t.Helper()
	tested := Tested{Store: w.Store, From: w.From, To: w.To, Old: w.Old.Release, New: w.New.Release}
	k.Reset()
	k.To(w.From)
	k.lives(w, w.Old, "at "+w.From)
	steps := k.ahead(w)
	if len(steps) == 0 {
		k.t.Fatalf("there is no step from %s to %s", w.From, w.To)
	}
	for _, step := range steps {
		died := k.Kill(step, 4) // its begin is written, its work is not, or not all of it
		if died {
			k.both(w, "in the middle of "+step, nil)
		}
		k.To(step)
		k.both(w, "behind "+step, func(old, fresh, refused bool) {
			if old {
				tested.OldWorks = append(tested.OldWorks, step)
			}
			if fresh {
				tested.NewWorks = append(tested.NewWorks, step)
			}
			if old && refused {
				tested.Propose = append(tested.Propose, fmt.Sprintf("%s: writers=%s readers=%s would do, code of %s works behind it", step, w.Old.Release, w.Old.Release, w.Old.Release))
			}
		})
	}
	k.thereAgain(w)
	if w.Record != "" {
		if err := record(w.Record, tested); err != nil {
			k.t.Fatal(err)
		}
	}
	for _, line := range tested.Propose {
		k.t.Log(line)
	}
	return tested
}

// ahead lists the steps of the window that are still to do, without contracts.
func (k *Kit) ahead(w Window) (steps []string) {
	k.t.Helper()
	doc, err := k.App.List(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	for _, s := range doc.Stores {
		for i, step := range s.Steps {
			if s.Name != w.Store || step.Done != nil || step.Step == "contract" || strings.HasPrefix(step.Step, "undo") {
				continue
			}
			name := w.Store + ":" + step.Migration + "." + step.Step
			steps = append(steps, name)
			ends := i+1 == len(s.Steps) || s.Steps[i+1].Migration != step.Migration || s.Steps[i+1].Step == "contract"
			if name == w.To || ends && w.Store+":"+step.Migration == w.To {
				return steps
			}
		}
	}
	return steps
}

// thereAgain goes back to the beginning, if all steps can be reversed, where old
// code works as before, and there again.
func (k *Kit) thereAgain(w Window) {
	k.t.Helper()
	_, err := k.App.Rollback(k.t.Context(), stopover.RollbackOptions{To: w.From})
	var refused *stopover.Failure
	switch {
	case errors.As(err, &refused) && refused.Exit == stopover.ExitRefused:
		k.t.Logf("there is no way back to %s: %v", w.From, err)
		return
	case err != nil:
		k.t.Fatal(err)
	}
	k.lives(w, w.Old, "back at "+w.From)
	k.To(w.To)
	k.both(w, "there again", nil)
}

// both runs the statements of both releases, each where the gate lets it start,
// and tells whose work; refused: the gate does not let the old one start.
func (k *Kit) both(w Window, where string, tell func(old, fresh, refused bool)) {
	k.t.Helper()
	mayOld, mayNew := k.may(w.Old), k.may(w.New)
	old, fresh := true, true
	if mayOld {
		k.lives(w, w.Old, where)
	} else {
		old = k.try(w, w.Old) == nil
	}
	if mayNew {
		k.lives(w, w.New, where)
	} else {
		fresh = k.try(w, w.New) == nil
	}
	if tell != nil {
		tell(old, fresh, !mayOld)
	}
}

// may asks the gate. Without releases in the catalogue old code is let in
// everywhere, and new code where everything is done.
func (k *Kit) may(c Code) bool {
	k.t.Helper()
	answer, err := k.App.Check(k.t.Context(), stopover.CheckOptions{Component: c.Component, Release: c.Release})
	if err != nil {
		k.t.Fatal(err)
	}
	return answer.State == "ready"
}

// lives runs a release's statements, which have to work.
func (k *Kit) lives(w Window, c Code, where string) {
	k.t.Helper()
	if err := k.try(w, c); err != nil {
		k.t.Errorf("%s may be alive %s, and its code fails: %v", c.Release, where, err)
	}
}

func (k *Kit) try(w Window, c Code) error {
	for _, statement := range c.Writes {
		if err := k.attempt(w.Store, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	for _, query := range c.Reads {
		found, err := k.find(w.Store, query)
		if err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
		if len(found) == 0 {
			return fmt.Errorf("%s: it finds nothing", query)
		}
	}
	return nil
}

// record puts a window into the file, in place of an earlier one of the same
// releases.
func record(file string, tested Tested) error {
	var all []Tested
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the recorded windows: %w", err)
	}
	all = slices.DeleteFunc(all, func(other Tested) bool {
		return other.Store == tested.Store && other.Old == tested.Old && other.New == tested.New
	})
	all = append(all, tested)
	if text, err = json.MarshalIndent(all, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
