package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/stopover-dev/stopover/store"
)

// authority is what the books say of a layout whose writers are followed: which
// side counts, and by what the sources can be proven to have been carried over.
type authority struct {
	Targets bool `json:"targets,omitempty"` // since the cutover: nothing copies to them any more
	Sealed  bool `json:"sealed,omitempty"`  // the digests of all sources are kept

	// Users could not write the sources since before the cutover, as long as Runs are
	// the processes that serve: then the sources are still what was carried over.
	Users []string          `json:"users,omitempty"`
	Runs  map[string]string `json:"runs,omitempty"` // run id by address

	// Fence is one that the cutover itself has raised, Former what it took away.
	Fence  *Fence  `json:"fence,omitempty"`
	Former *Former `json:"former,omitempty"`

	rev int64
}

// CutOverError says that the targets of a layout count since its cutover: to copy
// again would write over what was written since.
type CutOverError struct{}

func (*CutOverError) Error() string {
	return "the new keys are the ones that count since the cutover: copying the old ones over them again would lose what was written since"
}

func authorityKey(layout Layout) string { return "mirror/" + layoutSum(layout) }

// layoutSum identifies a layout in names of keys and notes.
func layoutSum(layout Layout) string {
	sum := sha256.Sum256([]byte(layout.String()))
	return hex.EncodeToString(sum[:6])
}

func (s *Store) authorityOf(ctx context.Context, layout Layout) (authority, error) {
	a := authority{rev: store.Absent}
	view, err := s.Look(ctx, authorityKey(layout))
	if err != nil {
		return a, err
	}
	for _, note := range view.Notes {
		if note.Key == authorityKey(layout) {
			a.rev = note.Rev
			if err := json.Unmarshal(note.Value, &a); err != nil {
				return a, fmt.Errorf("the note %q of the books is damaged: %w", note.Key, err)
			}
		}
	}
	return a, nil
}

// note is the note to be written.
func (a authority) note(layout Layout) (store.Note, error) {
	value, err := json.Marshal(a)
	return store.Note{Key: authorityKey(layout), Value: value, Rev: a.rev}, err
}

// keepAuthority writes it with other notes, under guards, and remembers its
// revision.
func (s *Store) keepAuthority(ctx context.Context, layout Layout, a *authority, guard []store.Note, more ...store.Note) error {
	note, err := a.note(layout)
	if err != nil {
		return err
	}
	done, err := s.perform(ctx, call{guard: guard, set: append([]store.Note{note}, more...)})
	if err == nil {
		a.rev = done.revs[0]
	}
	return err
}
