package book

import (
	"encoding/json"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

const fencePrefix = "fence/"

// Fence says that a step has shut writers out of the store, and how that is taken
// back. It is written before anything is shut.
type Fence struct {
	Migration string          `json:"-"`
	Kind      plan.Kind       `json:"-"`
	Logins    []string        `json:"logins,omitempty"`
	Names     []string        `json:"names,omitempty"` // of sessions
	Undo      json.RawMessage `json:"undo"`            // the store's own
}

// Note is the note that keeps the fence.
func (f Fence) Note() store.Note {
	note := encode("", f)
	note.Key = fencePrefix + f.Migration + "/" + f.Kind.String()
	return note
}

// Gone is the note that forgets the fence.
func (f Fence) Gone() store.Note { return store.Note{Key: f.Note().Key, Rev: store.Any} }

func (s *State) takeFence(rest string, note store.Note) error {
	migration, kind, ok := splitKey(rest)
	if !ok {
		return errNoStep
	}
	f := Fence{Migration: migration, Kind: kind}
	if err := json.Unmarshal(note.Value, &f); err != nil {
		return err
	}
	s.Fences = append(s.Fences, f)
	return nil
}
