package book

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// State is what a store's books say at one moment.
type State struct {
	Now     time.Time // the store's clock
	Stamp   *Stamp    // nil: no books, or nobody's
	Holder  *Holder   // nil: the lease is free and was given back
	Route   *Route
	Control *Control // nil: nobody has asked for anything
	Lines   map[Step]Line
	Cursors map[Step]Cursor

	Instances []Instance // all leases of instances, also those that have run out
	Gates     map[string]Gate
	Rolled    map[string]Rolled // by component
	Attests   []Attestation     // also those that hold no more
	Fences    []Fence
	Peers     map[string]Peer // other stores, by name
	Banned    []Banned

	epoch    int64
	proposal *Proposal
	seen     time.Time // this machine's clock when Now was read, with its monotonic part
}

// Step names a step within one store.
type Step struct {
	Migration string
	Kind      plan.Kind
}

// Read reads the books in one trip.
func Read(ctx context.Context, s store.Store) (*State, error) {
	view, err := s.Look(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the books: %w", err)
	}
	return decode(view)
}

// Clock gives the store's present time, reckoned from when State was read.
func (s *State) Clock() time.Time { return s.Now.Add(time.Since(s.seen)) }

func decode(view store.View) (*State, error) {
	s := &State{Now: view.Now, seen: time.Now(), Lines: make(map[Step]Line, len(view.Notes)), Cursors: map[Step]Cursor{}, Gates: map[string]Gate{}, Rolled: map[string]Rolled{}, Peers: map[string]Peer{}}
	for _, note := range view.Notes {
		if err := s.take(note); err != nil {
			return nil, fmt.Errorf("note %q of the books is damaged: %w", note.Key, err)
		}
	}
	return s, nil
}

func (s *State) take(note store.Note) error {
	if rest, ok := strings.CutPrefix(note.Key, ledgerPrefix); ok {
		return s.takeLine(rest, note)
	}
	if rest, ok := strings.CutPrefix(note.Key, cursorPrefix); ok {
		return s.takeCursor(rest, note)
	}
	if rest, ok := strings.CutPrefix(note.Key, fleetPrefix); ok {
		return s.takeInstance(rest, note)
	}
	if rest, ok := strings.CutPrefix(note.Key, gatePrefix); ok {
		return s.takeGate(rest, note)
	}
	if rest, ok := strings.CutPrefix(note.Key, rolledPrefix); ok {
		return s.takeRolled(rest, note)
	}
	if rest, ok := strings.CutPrefix(note.Key, fencePrefix); ok {
		return s.takeFence(rest, note)
	}
	if rest, ok := strings.CutPrefix(note.Key, peerPrefix); ok {
		return s.takePeer(rest, note)
	}
	if strings.HasPrefix(note.Key, bannedPrefix) {
		return s.takeBanned(note)
	}
	if strings.HasPrefix(note.Key, attestPrefix) {
		return s.takeAttestation(note)
	}
	switch note.Key {
	case keyStamp:
		s.Stamp = new(Stamp)
		return json.Unmarshal(note.Value, s.Stamp)
	case keyRoute:
		s.Route = new(Route)
		return json.Unmarshal(note.Value, s.Route)
	case keyControl:
		return s.takeControl(note)
	case keyProposal:
		return s.takeProposal(note)
	case keyLease:
		s.Holder = &Holder{Renewed: note.At}
		return json.Unmarshal(note.Value, s.Holder)
	case keyEpoch:
		var epoch epochValue
		err := json.Unmarshal(note.Value, &epoch)
		s.epoch = epoch.Epoch
		return err
	}
	return nil // a note of another room, or of a newer minor version
}

func (s *State) takeLine(rest string, note store.Note) error {
	migration, kind, ok := splitKey(rest)
	if !ok {
		return errNoStep
	}
	line := Line{Migration: migration, Kind: kind}
	if err := json.Unmarshal(note.Value, &line); err != nil {
		return err
	}
	s.Lines[Step{migration, kind}] = line
	return nil
}
