package book

import (
	"encoding/json"
	"time"

	"github.com/stopover-dev/stopover/store"
)

const rolledPrefix = "rolled/"

// Rolled says which release of a component is the oldest that has to be reckoned
// with. Since when that is so, the store's clock tells: the note is written by
// whoever sees first that it changed.
type Rolled struct {
	Oldest string    `json:"oldest"` // "": nothing runs
	Since  time.Time `json:"-"`      // last write of the note
	rev    int64
}

// RolledNote is the note that says what is the oldest, in place of the one that s
// was read with.
func (s *State) RolledNote(component, oldest string) store.Note {
	note := encode(rolledPrefix+component, Rolled{Oldest: oldest})
	note.Rev = s.Rolled[component].rev // zero, Absent, where there is none
	return note
}

// Keep takes over a note that was written.
func (s *State) Keep(component string, note store.Note) error { return s.takeRolled(component, note) }

func (s *State) takeRolled(component string, note store.Note) error {
	r := Rolled{Since: note.At, rev: note.Rev}
	if err := json.Unmarshal(note.Value, &r); err != nil {
		return err
	}
	s.Rolled[component] = r
	return nil
}
