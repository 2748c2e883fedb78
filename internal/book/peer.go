package book

import (
	"encoding/json"
	"time"

	"github.com/stopover-dev/stopover/store"
)

const peerPrefix = "peer/"

// Peer is what one store's books know of another store: which it is, and how often
// it had been held. That number only ever grows, so a store that is behind what
// others know of it was set back to an earlier state.
type Peer struct {
	ID    string    `json:"id"` // of its stamp
	Epoch int64     `json:"epoch"`
	Since time.Time `json:"-"` // last write of the note
}

// PeerNote is the note that knows a store by its name in the catalogue.
func PeerNote(name string, p Peer) store.Note {
	note := encode(peerPrefix+name, p)
	note.Rev = store.Any
	return note
}

// Epoch is how often the store has been held.
func (s *State) Epoch() int64 { return s.epoch }

func (s *State) takePeer(name string, note store.Note) error {
	p := Peer{Since: note.At}
	if err := json.Unmarshal(note.Value, &p); err != nil {
		return err
	}
	s.Peers[name] = p
	return nil
}
