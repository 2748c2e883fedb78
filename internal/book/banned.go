package book

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/stopover-dev/stopover/store"
)

const bannedPrefix = "banned/"

// Banned says that a login was shut out of the store for a contract.
type Banned struct {
	Login     string    `json:"login"`
	Migration string    `json:"migration"`
	Since     time.Time `json:"-"` // last write of the note
}

// Note is the note that keeps it.
func (b Banned) Note() store.Note {
	note := encode(bannedPrefix+url.PathEscape(b.Login), b)
	note.Rev = store.Any
	return note
}

func (s *State) takeBanned(note store.Note) error {
	b := Banned{Since: note.At}
	if err := json.Unmarshal(note.Value, &b); err != nil {
		return err
	}
	s.Banned = append(s.Banned, b)
	return nil
}
