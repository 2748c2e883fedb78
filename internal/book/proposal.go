package book

import (
	"context"
	"encoding/json"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

const keyProposal = "proposal"

// Proposal is a step that a runner is about to begin, with its floors. While the
// runner's lease lives nobody may start below them; then the step begins and
// they are in force by its line, or the proposal is taken back.
//
// A runner that dies here leaves a proposal that counts for nothing once its
// lease has run out. Who finds such a one takes it away before relying on that:
// its runner may only have slept, and must notice.
type Proposal struct {
	Epoch     int64     `json:"epoch"`
	Migration string    `json:"migration"`
	Step      string    `json:"step"`
	Writers   string    `json:"writers,omitempty"`
	Readers   string    `json:"readers,omitempty"`
	Kind      plan.Kind `json:"-"`
	rev       int64
}

// Line gives the proposal as the line that would put its floors in force.
func (p Proposal) Line() Line {
	return Line{Migration: p.Migration, Kind: p.Kind, Writers: p.Writers, Readers: p.Readers}
}

// Gone is the note that takes the proposal away, if it is still the one that was
// read.
func (p Proposal) Gone() store.Note { return store.Note{Key: keyProposal, Rev: p.rev} }

// Proposed gives the proposal that counts now, and one that does not any more
// and has to be taken away before anybody relies on that. Both may be nil.
func (s *State) Proposed() (counts, dead *Proposal) {
	switch {
	case s.proposal == nil:
		return nil, nil
	case s.Holder != nil && s.Holder.Epoch == s.proposal.Epoch && s.Holder.Left(s.Now) > 0:
		return s.proposal, nil
	}
	return nil, s.proposal
}

func (s *State) takeProposal(note store.Note) error {
	p := Proposal{rev: note.Rev}
	if err := json.Unmarshal(note.Value, &p); err != nil {
		return err
	}
	kind, known := plan.ParseKind(p.Step)
	if !known {
		return errNoStep
	}
	p.Kind, s.proposal = kind, &p
	return nil
}

// Propose announces the floors of a step under the lease. What joins from now on
// sees them; what joined before can be seen by whoever reads the leases after
// this has returned.
func (l *Lease) Propose(ctx context.Context, line Line) (Proposal, error) {
	p := Proposal{Epoch: l.Holder.Epoch, Migration: line.Migration, Step: line.Kind.String(), Kind: line.Kind,
		Writers: line.Writers, Readers: line.Readers}
	written, err := l.st.Swap(ctx, l.Guard(), encode(keyProposal, p))
	if err != nil {
		return p, Lost(err)
	}
	p.rev = written[0].Rev
	return p, nil
}

// Withdraw takes a proposal back: its floors were never in force.
func (l *Lease) Withdraw(ctx context.Context, p Proposal) error {
	return l.Write(ctx, store.Note{Key: keyProposal, Rev: store.Any})
}

// Begin puts the proposed floors in force: the line takes the proposal's place.
// A *store.ConflictError that is not about the lease says that the proposal was
// taken away meanwhile: it has to be made again.
func (l *Lease) Begin(ctx context.Context, p Proposal, line Line) error {
	return l.Write(ctx, line.Note(), p.Gone())
}

// GoneLine is the note that takes a step's line away.
func (l Line) GoneLine() store.Note {
	return store.Note{Key: lineKey(l.Migration, l.Kind), Rev: store.Any}
}
