package book

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/store"
)

const (
	fleetPrefix  = "fleet/"
	gatePrefix   = "gate/"
	attestPrefix = "attest/"
	ofComponent  = "component/"
	ofClient     = "client/"
)

// InstanceTTL is how long an instance's lease lives without being renewed, on
// the store's clock. Renewal is every third of it.
const InstanceTTL = time.Minute

// Instance is a running process of a component, as its lease tells.
type Instance struct {
	Component string        `json:"-"`
	Name      string        `json:"-"`
	Release   string        `json:"release"`
	Role      string        `json:"role,omitempty"` // "ro" or "rw"
	Host      string        `json:"host"`
	PID       int           `json:"pid"`
	Sessions  string        `json:"sessions,omitempty"` // how its sessions in this store are called
	Token     string        `json:"token"`              // tells it from another process of the same name
	Since     time.Time     `json:"since"`
	TTL       time.Duration `json:"ttl"` // nanoseconds
	Seen      time.Time     `json:"-"`   // the note's own time
	Rev       int64         `json:"-"`   // the note's revision
}

// Left is how long the lease still lives if it is not renewed; not positive:
// it is over, and what the process does since nobody knows.
func (i Instance) Left(now time.Time) time.Duration { return i.Seen.Add(i.TTL).Sub(now) }

// Key is where the lease is kept.
func (i Instance) Key() string { return fleetPrefix + i.Component + "/" + i.Name }

// Note encodes the lease for writing over the one with this revision.
func (i Instance) Note(over int64) store.Note {
	i.Since = stamped(i.Since)
	note := encode(i.Key(), i)
	note.Rev = over
	return note
}

// Gone is the note that takes the lease away, if it is still the one that was
// read.
func (i Instance) Gone() store.Note { return store.Note{Key: i.Key(), Rev: i.Rev} }

// Gate says since which release the instances of a component hold leases. What
// is older may run without one.
type Gate struct {
	From string `json:"from"`
	rev  int64
}

// GateNote is the note that keeps a component's gate in place of the one that s
// was read with.
func (s *State) GateNote(component string, gate Gate) store.Note {
	note := encode(gatePrefix+component, gate)
	note.Rev = s.Gates[component].rev // zero, Absent, where there is none
	return note
}

// Attestation is an operator's statement where no evidence can exist: that
// nothing else runs of a component than these releases, or that a client of the
// store may be left out of account.
type Attestation struct {
	Component string    `json:"component,omitempty"`
	Client    string    `json:"client,omitempty"`
	Releases  []string  `json:"releases,omitempty"` // of a component; none: it does not run
	Who       string    `json:"who"`
	Reason    string    `json:"reason"`
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
}

// Holds tells whether the statement still counts.
func (a Attestation) Holds(now time.Time) bool { return now.Before(a.Until) }

// Note encodes the attestation. It replaces an earlier one on the same subject.
func (a Attestation) Note() store.Note {
	a.Since, a.Until = stamped(a.Since), stamped(a.Until)
	// Names of clients are free text, and keys are not.
	key := attestPrefix + ofClient + url.PathEscape(a.Client)
	if a.Component != "" {
		key = attestPrefix + ofComponent + a.Component
	}
	return encode(key, a)
}

// Attested gives the statement on a component that holds now; nil: none.
func (s *State) Attested(component string) *Attestation {
	for i := range s.Attests {
		if a := &s.Attests[i]; a.Component == component && component != "" && a.Holds(s.Now) {
			return a
		}
	}
	return nil
}

// Live lists the instances whose leases have not run out.
func (s *State) Live() []Instance {
	var live []Instance
	for _, i := range s.Instances {
		if i.Left(s.Now) > 0 {
			live = append(live, i)
		}
	}
	return live
}

func (s *State) takeInstance(rest string, note store.Note) error {
	component, name, found := strings.Cut(rest, "/")
	if !found || component == "" || name == "" {
		return errors.New("its key names no instance")
	}
	instance := Instance{Component: component, Name: name, Seen: note.At, Rev: note.Rev}
	if err := json.Unmarshal(note.Value, &instance); err != nil {
		return err
	}
	s.Instances = append(s.Instances, instance)
	return nil
}

func (s *State) takeGate(component string, note store.Note) error {
	gate := Gate{rev: note.Rev}
	if err := json.Unmarshal(note.Value, &gate); err != nil {
		return err
	}
	s.Gates[component] = gate
	return nil
}

func (s *State) takeAttestation(note store.Note) error {
	var a Attestation
	if err := json.Unmarshal(note.Value, &a); err != nil {
		return err
	}
	s.Attests = append(s.Attests, a)
	return nil
}
