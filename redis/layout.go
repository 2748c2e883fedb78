package redis

import (
	"fmt"
	"strings"
)

// Layout says what becomes of each key of a store whose keys change their
// names. All keys are without the store's prefix. A Layout does not change, and
// may be asked from several goroutines.
type Layout interface {
	// Target gives the key to which a source goes. ok is false if the key is no
	// source. The error is an *AmbiguousError if it cannot be told.
	Target(key string) (to string, ok bool, err error)
	// Source is the inverse of Target: it gives the key from which a target
	// comes. ok is false if the key is no target.
	Source(key string) (from string, ok bool, err error)
	// Fate says what is declared for a key that is neither source nor target.
	Fate(key string) Fate
	// Sources gives the longest literal prefixes that sources have. Every source
	// begins with one of them.
	Sources() []string
	// Targets gives the same for targets.
	Targets() []string
	// String names the layout for people, and identifies it: two layouts that do
	// not say the same of every key have different strings.
	String() string
}

// Fate is what a layout declares for a key that it does not move.
type Fate int

const (
	Unmentioned Fate = iota // nothing is said of it
	Kept                    // it stays as it is
	Dropped                 // it is to be deleted with the sources
)

func (f Fate) String() string {
	switch f {
	case Kept:
		return "kept"
	case Dropped:
		return "dropped"
	}
	return "not mentioned"
}

// AmbiguousError says that a key can be read in several ways by a layout, and
// that no rule of it prefers one.
type AmbiguousError struct {
	Key      string   // without the store's prefix
	Readings []string // what each way makes of it
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("the key %q can be read in %d ways (%s), and no rule prefers one",
		e.Key, len(e.Readings), strings.Join(e.Readings, "; "))
}
