package plan

import "strings"

// CatalogueError says that a catalogue cannot be planned with at all. Problems
// that concern single steps only make those steps impossible and are found by
// Check.
type CatalogueError struct{ Problems []Problem }

func (e *CatalogueError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = p.Text
	}
	return "the catalogue cannot be planned with: " + strings.Join(texts, "; ")
}

// StateError says that a fleet or a ledger holds something that the catalogue
// does not explain: an unknown release or component, or a release that is
// older than the oldest one listed.
type StateError struct {
	Component string // "" if it is about a store
	Store     string // "" if it is about a component
	Release   int    // as given; it may not be an index of a release
	Because   string
}

func (e *StateError) Error() string { return e.Because }

// GoalError says that what is asked for is not a goal: unknown, withdrawn, or
// below what runs already.
type GoalError struct {
	Goal    Goal
	Because string
}

func (e *GoalError) Error() string { return e.Because }
