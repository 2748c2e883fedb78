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

// bugs are what an implementation may get wrong, under the case that has to
// find it.
var bugs = map[string][]string{
	"a survey tells an empty store from one with something in it": {
		"the books are evidence",
	},
	"books of a newer format are refused by every call and not changed": {
		"Prepare takes newer books back",
		"Look reads newer books",
		"Swap writes into newer books",
		"Do works on newer books",
		"a batch hides its failure",
	},
	"Prepare makes the books, and a second Prepare keeps the notes": {
		"Prepare wipes the notes",
		"a note made anew starts at revision one",
	},
	"a note is created, changed and deleted": {
		"Look is cached",
	},
	"a store without books looks empty, and looking does not make them": {
		"Look makes the books",
	},
	"a guard that stands lets a Swap pass and is not changed": {
		"Look writes the time",
		"Swap ignores guards",
		"a lost guard looks like a conflict",
	},
	"Look orders by key and takes prefixes to the letter": {
		"Look orders without case",
		"a prefix is a LIKE pattern",
		"a prefix has no upper end",
		"prefixes ignore case",
		"a note under two prefixes comes twice",
	},
	"At is the last write on the store's clock, which goes forward": {
		"the clock is an hour ahead in summer",
		"At is the creation",
	},
	"one of several guards is enough to refuse": {
		"only the first guard counts",
	},
	"Swap writes all notes or none, and names the one in conflict": {
		"Swap stops halfway",
	},
	"eight writers count on one note and lose nothing": {
		"compare and swap are two moments",
	},
	"Any writes and deletes whatever stands": {
		"deleting nothing is a conflict",
	},
	"Absent refuses a note that exists": {
		"Absent overwrites",
		"a conflict names no note",
	},
	"a revision is never used twice, also after a deletion": {
		"revisions go on from the highest that is left",
	},
	"large and foreign values come back as they were": {
		"numbers go through floating point",
	},
	"a context that has ended changes nothing": {
		"Do does not look at the context",
	},
	"after a new epoch was answered no work of the old one appears": {
		"Do ignores guards",
		"Do looks at guards only at its begin",
	},
	"a Proof that finds something stops the task": {
		"a Proof is ignored",
	},
	"a failing statement leaves neither work nor notes": {
		"notes are written though the statement failed",
		"work stays though a statement failed",
		"the number of the statement is counted from zero",
	},
	"the cursor is recorded with the rows that it stands for": {
		"the recorded cursor is the one before",
	},
	"a note in conflict leaves no work": {
		"work stays though a note was refused",
	},
	"a lock is waited for no longer than Wait": {
		"Wait is taken for zero",
		"a lock is any error",
	},
	"Only performs one statement": {
		"Only performs everything",
	},
	"Lister: a session at work is listed by its name and can be ended": {
		"a session has no name",
		"End does not wait",
	},
	"a task cancelled in the middle leaves nothing": {
		"a cancelled task is done",
	},
	"Timeout ends a long statement and leaves nothing": {
		"a task that took too long is done",
	},
	"a Query counts everything, shows a sample, and changes nothing": {
		"a sample has no end",
		"a Query changes rows",
		"only the sample is counted",
	},
	"stretches touch every row once, about Size at a time": {
		"the size is ignored",
		"each stretch is one row",
		"a cursor skips a row",
		"a cursor repeats a row",
		"a cursor does not move",
	},
	"Batcher: a task that fails stops those after it, those before it stay": {
		"a batch goes on after a failure",
		"a batch is all or nothing",
	},
	"Inspector: a statement alone is missing before and not after": {
		"an effect is not found",
	},
	"Describer: tells structures apart and leaves out the books": {
		"the books are described",
		"data is described",
	},
	"Estimator: foresees without changing anything": {
		"an estimate is minus one",
	},
	"a closed store answers every call with an error": {
		"a closed store works",
	},
}

func TestASoundStorePasses(t *testing.T) {
	Run(t, planted{})
}

func TestEveryPlantedBugIsFound(t *testing.T) {
	left := len(bugs)
	for _, c := range Cases() {
		if len(bugs[c.Name]) > 0 {
			left--
		}
		for _, bug := range bugs[c.Name] {
			t.Run(bug, func(t *testing.T) {
				t.Parallel()
				c := c
				c.Deadline = 2 * time.Second // some wait for what a bug keeps from coming
				failures := Check(t.Context(), planted{bug}, c)
				if len(failures) == 0 {
					t.Errorf("the case %q does not fail", c.Name)
					return
				}
				t.Logf("found by %q: %s", c.Name, failures[0])
			})
		}
	}
	if left != 0 {
		t.Errorf("%d cases have another name now", left)
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
