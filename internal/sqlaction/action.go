// Package sqlaction is the SQL form of a migration's step, shared by all stores
// that speak SQL: how the text of a section becomes an action, what is known of
// it beforehand (facts), and how a place in a table's key order is written down
// (cursors). It opens no connection and runs nothing.
//
// The invariant: what Parse lets through can be performed in a transaction
// together with its record, or says of itself that it stands alone.
package sqlaction

import (
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Action is one step in SQL. It implements store.Action. It is not changed
// after Parse.
type Action struct {
	Form  store.Shape
	Parts []store.Statement
	Kinds []sqltext.Statement // what is known of each part, at the same index
	Each  bool                // statement by statement instead of one transaction
	Range *Range              // Stretched, and a Match that Parse derived: how to restrict it; else nil
	Facts []store.Fact        // what the statements do to the application
	Key   string              // equal for equal actions: for caches
}

// Shape says how the action's work is divided.
func (a *Action) Shape() store.Shape { return a.Form }

// Statements gives the parts in order.
func (a *Action) Statements() []store.Statement { return a.Parts }

var _ store.Action = (*Action)(nil)

// Range restricts an action's only statement to some rows of a table.
type Range struct {
	Table string       // as written, maybe with schema and quotes
	Alias string       // the name by which a condition refers to the table's columns, as written
	Name  sqltext.Name // Table without quotes, folded by the dialect's rules
	Sets  []string     // columns that an UPDATE sets: a key among them cannot be cut by

	text     func(cond string) string
	matching func(columns, cond string) string
}

// Text gives the statement with cond, a condition over Alias's columns, put in;
// without restriction where cond is empty.
func (r *Range) Text(cond string) string { return r.text(cond) }

// Matching gives a query of columns (as they stand behind SELECT) for the rows
// that the statement would still change and for which cond holds; "" if that
// cannot be told.
func (r *Range) Matching(columns, cond string) string { return r.matching(columns, cond) }

func newRange(cut *sqltext.Cut) *Range {
	return &Range{
		Table: cut.Table.Text, Alias: cut.Alias, Name: cut.Table, Sets: cut.Sets,
		text: cut.Text, matching: cut.Matching,
	}
}

// matchRange is the range of the query for what is still to do.
func matchRange(cut *sqltext.Cut) *Range {
	r := newRange(cut)
	r.text = func(cond string) string { return cut.Matching("*", cond) }
	return r
}
