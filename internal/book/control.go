package book

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Control is how an operator wants long work on a store to go. It stays until
// it is changed, also from one run to the next.
type Control struct {
	Workers int       `json:"workers,omitempty"` // 0: as the runner was told
	Rate    float64   `json:"rate,omitempty"`    // rows a second, all workers together; 0: no limit
	Paused  bool      `json:"paused,omitempty"`
	Who     string    `json:"who"`
	Since   time.Time `json:"since"`
}

// IsPlain tells that the control asks for nothing.
func (c Control) IsPlain() bool { return c.Workers == 0 && c.Rate == 0 && !c.Paused }

// ReadControl reads the control of a store, in one trip; nil: there is none.
func ReadControl(ctx context.Context, s store.Store) (*Control, error) {
	view, err := s.Look(ctx, keyControl)
	if err != nil {
		return nil, fmt.Errorf("read the control: %w", err)
	}
	state, err := decode(view)
	if err != nil {
		return nil, err
	}
	return state.Control, nil
}

// SetControl changes the control of a store. It is the one note that is written
// without the lease: it is meant for whoever holds that. Two who change it at
// once both get their say, one after the other.
func SetControl(ctx context.Context, s store.Store, change func(Control) Control) (Control, error) {
	for {
		view, err := s.Look(ctx, keyControl)
		if err != nil {
			return Control{}, fmt.Errorf("read the control: %w", err)
		}
		state, err := decode(view)
		if err != nil {
			return Control{}, err
		}
		var control Control
		if state.Control != nil {
			control = *state.Control
		}
		control = change(control)
		control.Since = stamped(state.Now)
		note := encode(keyControl, control)
		if control.IsPlain() {
			note.Value = nil
		}
		note.Rev = revision(view, keyControl)
		_, err = s.Swap(ctx, nil, note)
		if !isConflict(err) {
			return control, err
		}
	}
}

func (s *State) takeControl(note store.Note) error {
	s.Control = new(Control)
	return json.Unmarshal(note.Value, s.Control)
}
