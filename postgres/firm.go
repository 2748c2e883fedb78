package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// lockWriters keeps writers out of the tables that the work changes, from
// before its proof until its end: a row that a transaction has written and not
// committed is then seen by the proof, because the lock waits for it, and none
// can be written between the proof and the change.
//
// The lock lets readers go on. It conflicts with nothing that the change itself
// does not conflict with.
func (t *transaction) lockWriters(ctx context.Context, work work) error {
	names := work.changedTables()
	if !t.task.Firm || len(names) == 0 {
		return nil
	}
	// A table that is not there, or comes to be in this very work, has no writers.
	var there []string
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	t.next.ask("SELECT name FROM unnest("+array(quoted, "text")+") AS name WHERE to_regclass(name) IS NOT NULL", func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			there = append(there, string(r.Values()[0]))
		}
		return nil
	})
	if err := t.send(ctx); err != nil || len(there) == 0 {
		return err
	}
	t.next.own("LOCK TABLE " + strings.Join(there, ", ") + " IN SHARE ROW EXCLUSIVE MODE")
	return t.send(ctx)
}

// changedTables lists the tables that the work alters or drops, as written.
func (w work) changedTables() []string {
	var names []string
	for _, p := range w.parts {
		if p.kind.Object != "TABLE" || p.kind.Verb != "ALTER" && p.kind.Verb != "DROP" {
			continue
		}
		for _, name := range p.kind.Names {
			names = append(names, name.Text)
		}
	}
	return names
}
