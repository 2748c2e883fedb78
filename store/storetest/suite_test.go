package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// planted makes worlds with a bug, "" for none.
type planted struct{ bug string }

func (p planted) Fresh(context.Context) (Site, error) {
	return &memory{&world{bug: p.bug, notes: map[string]store.Note{}, sessions: map[string]*working{}}}, nil
}

type memory struct{ *world }

func (s *memory) Open(context.Context) (store.Store, error) {
	return &model{world: s.world, cache: map[string]store.View{}}, nil
}

func (s *memory) Close() error { return nil }

func (s *memory) Seed(_ context.Context, rows int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seeded, s.rows = true, make([]int, rows)
	return nil
}

func (s *memory) Tags(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tags), nil
}

func (s *memory) Touches(context.Context) ([]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows), nil
}

func (s *memory) MakeNewer(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.format = store.Format + 1
	return nil
}

func (s *memory) Add(tags ...string) store.Action { return work{form: store.Whole, tags: tags} }
func (s *memory) Fail(tags ...string) store.Action {
	return work{form: store.Whole, tags: append(tags, "")}
}
func (s *memory) Slow(tag string) store.Action {
	return work{form: store.Whole, tags: []string{tag}, slow: true}
}
func (s *memory) Touch() store.Action     { return work{form: store.Stretched} }
func (s *memory) Untouched() store.Action { return work{form: store.Query} }
func (s *memory) Alone() store.Action {
	return work{form: store.Whole, tags: []string{"alone"}, lone: true}
}

func (s *memory) Block(context.Context) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocked := make(chan struct{})
	s.blocked = blocked
	return func() { close(blocked) }, nil
}

// bugs are what an implementation may get wrong; the suite has to find each.
var bugs = []string{
	"the books are evidence", "Prepare takes newer books back", "Prepare wipes the notes", "Look reads newer books",
	"Look is cached", "Look makes the books", "Look writes the time", "Look orders without case",
	"the clock is an hour ahead in summer", "a prefix is a LIKE pattern", "a prefix has no upper end",
	"prefixes ignore case", "a note under two prefixes comes twice", "Swap writes into newer books",
	"Swap ignores guards", "only the first guard counts", "a lost guard looks like a conflict", "Swap stops halfway",
	"compare and swap are two moments", "deleting nothing is a conflict", "Absent overwrites",
	"a conflict names no note", "a note made anew starts at revision one",
	"revisions go on from the highest that is left", "At is the creation", "numbers go through floating point",
	"Do does not look at the context", "Do works on newer books", "Do ignores guards",
	"Do looks at guards only at its begin", "a Proof is ignored", "notes are written though the statement failed",
	"the recorded cursor is the one before", "work stays though a note was refused",
	"work stays though a statement failed", "Wait is taken for zero", "a lock is any error",
	"Only performs everything", "the number of the statement is counted from zero", "a session has no name",
	"a cancelled task is done", "a task that took too long is done", "a sample has no end", "a Query changes rows",
	"only the sample is counted", "the size is ignored", "each stretch is one row", "a cursor skips a row",
	"a cursor repeats a row", "a cursor does not move", "a batch goes on after a failure",
	"a batch is all or nothing", "a batch hides its failure", "an effect is not found", "End does not wait",
	"the books are described", "data is described", "an estimate is minus one", "a closed store works",
}

func TestASoundStorePasses(t *testing.T) {
	Run(t, planted{})
}

func TestEveryPlantedBugIsFound(t *testing.T) {
	for _, bug := range bugs {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			for _, c := range Cases() {
				// Some cases wait for what a bug keeps from coming.
				c.Deadline = 2 * time.Second
				if failures := Check(t.Context(), planted{bug}, c); len(failures) > 0 {
					t.Logf("found by %q: %s", c.Name, failures[0])
					return
				}
			}
			t.Error("no case fails")
		})
	}
}

func TestACaseThatHangsFails(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	c := Case{Name: "hangs", Deadline: 10 * time.Millisecond, Run: func(context.Context, *T) { <-release }}
	failures := Check(t.Context(), planted{}, c)
	if len(failures) != 1 || !strings.Contains(failures[0], "deadline") {
		t.Errorf("failures %q, want one about the deadline", failures)
	}
}

func TestACaseFailsWhereItsStoreCannotBeMade(t *testing.T) {
	failures := Check(t.Context(), broken{}, Cases()[0])
	if len(failures) != 1 || !strings.Contains(failures[0], "no server") {
		t.Errorf("failures %q, want one that says why", failures)
	}
}

type broken struct{}

func (broken) Fresh(context.Context) (Site, error) { return nil, errors.New("no server") }
