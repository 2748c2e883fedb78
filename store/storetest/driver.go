// Package storetest is the definition of what a store is: one suite of cases
// that every kind of store has to pass, on a real server or file.
//
// A kind of store brings a Driver, and calls Run in a test of its own. Every
// case gets a fresh store and a deadline, and is named by the sentence that it
// proves. Abilities (store.Batcher and the like) are found with store.As and
// are tested where they are found.
//
// The suite is itself tested: it passes on a sound model in memory, and fails
// on each of a list of bugs planted in that model.
package storetest

import (
	"context"

	"github.com/stopover-dev/stopover/store"
)

// Driver is what a kind of store brings to the suite.
type Driver interface {
	// Fresh makes a store that is empty and has no books.
	Fresh(ctx context.Context) (Site, error)
}

// Site is one store, seen from outside Stopover, and the work that the suite
// gives to it. There are two collections: tags, which actions add to, and
// rows, numbered from 1, of which each counts how often it was touched.
type Site interface {
	// Open opens one more independent handle on the store.
	Open(ctx context.Context) (store.Store, error)
	// Close gives the store up.
	Close() error

	// Seed makes the two collections: no tags, and this many untouched rows.
	// The suite calls it once, and in some cases never.
	Seed(ctx context.Context, rows int) error
	// Tags gives the tags in the order in which they were added.
	Tags(ctx context.Context) ([]string, error)
	// Touches gives for each row, in order, how often it was touched.
	Touches(ctx context.Context) ([]int, error)
	// MakeNewer gives the books the format store.Format + 1.
	MakeNewer(ctx context.Context) error

	// Add is a Whole action that adds the tags, one statement a tag where the
	// kind of store has actions of several statements.
	Add(tags ...string) store.Action
	// Fail is like Add, but its last statement, after the tags, fails.
	Fail(tags ...string) store.Action
	// Slow is a Whole action that adds the tag and then works for at least a
	// minute if nobody ends it.
	Slow(tag string) store.Action
	// Touch is a Stretched action that adds one to the count of each row.
	Touch() store.Action
	// Untouched is a Query for the rows with the count zero.
	Untouched() store.Action
}

// Blocker is a Site on which a lock can be held that Add has to wait for.
type Blocker interface {
	// Block takes the lock. The function returned gives it back.
	Block(ctx context.Context) (func(), error)
}

// Aloner is a Site of a store with statements that cannot be in a transaction
// and whose effect can be inspected.
type Aloner interface {
	// Alone is a Whole action of one statement Alone, with an effect that
	// an Inspector finds.
	Alone() store.Action
}
