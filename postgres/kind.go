// Package postgres keeps Stopover's notes in a PostgreSQL schema and performs
// migrations there. It knows nothing of releases or steps.
//
// The invariant: a task's statements and the notes that record them travel in
// one transaction, whose last message locks the guards, writes the notes and
// commits. A runner that was displaced can therefore not commit anything, and
// one that is stopped at any moment holds no lock on the guards.
//
// Everything goes through transaction poolers: statements are sent as text, no
// setting outlives the message that sets it, and no lock belongs to a session.
package postgres

import (
	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Kind is the kind of store "postgres".
func Kind() store.Kind {
	return store.Kind{
		Name:    "postgres",
		Schemes: []string{"postgres", "postgresql"},
		Open:    Open,
		Parse: func(section store.Section) (store.Parsed, error) {
			return sqlaction.Parse(sqltext.Postgres, section)
		},
		Scratch: scratch,
	}
}
