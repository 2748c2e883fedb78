package sqlaction

import (
	"strings"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// used are the kinds of objects that running code may use.
var used = map[string]bool{
	"TABLE": true, "FOREIGN TABLE": true, "VIEW": true, "MATERIALIZED VIEW": true, "TYPE": true, "DOMAIN": true,
	"SEQUENCE": true, "SCHEMA": true, "DATABASE": true, "FUNCTION": true, "PROCEDURE": true, "ROUTINE": true,
	"AGGREGATE": true, "TRIGGER": true, "RULE": true, "EXTENSION": true, "OPERATOR": true, "COLLATION": true,
	"ROLE": true, "USER": true, "OWNED BY": true,
}

// keepsNothing are the kinds that hold no data, so that one dropped and made
// again in the same section is one replaced.
var keepsNothing = map[string]bool{
	"VIEW": true, "FUNCTION": true, "PROCEDURE": true, "AGGREGATE": true, "TRIGGER": true, "RULE": true, "MATERIALIZED VIEW": true,
}

const inContract = "do it in contract, with writers= and readers= of the first release that does without it"

// drop notes what is gone after a DROP.
func (w *witness) drop(s sqltext.Statement) {
	what := strings.ToLower(s.Object)
	for _, name := range s.Names {
		object := name.String()
		switch {
		case w.isNew(name):
		case s.Object == "INDEX" && w.d == sqltext.Postgres && !s.Concurrently:
			w.note(store.Blocks, object, s.CodeLine, "DROP INDEX stops all readers and writers of its table while it waits for them: write DROP INDEX CONCURRENTLY")
		case !used[s.Object], keepsNothing[s.Object] && w.madeAgain(s.Object, name):
		case s.Object == "TABLE" && w.renamedTo(name):
			w.note(store.Risky, object, s.CodeLine, "table %s is rebuilt: check that the new one has every column, index, trigger and row that older releases use", object)
		default:
			w.note(store.Destroys, object, s.CodeLine, "%s %s is dropped, which older releases may still use: %s", what, object, inContract)
		}
	}
	if s.Cascade {
		w.note(store.Risky, s.Name().String(), s.CodeLine, "CASCADE also drops whatever depends on %s %s, unseen: drop these objects by their names instead", what, s.Name())
	}
}

// madeAgain says whether a later statement creates the object.
func (w *witness) madeAgain(object string, name sqltext.Name) bool {
	for _, later := range w.kinds[w.at+1:] {
		if later.Verb == "CREATE" && later.Object == object && len(later.Names) > 0 && later.Name().Same(w.d, name) {
			return true
		}
	}
	return false
}

// renamedTo says whether a later statement gives a new table this name.
func (w *witness) renamedTo(name sqltext.Name) bool {
	for _, later := range w.kinds[w.at+1:] {
		for _, change := range later.Changes() {
			if change.Kind == sqltext.RenameTable && (sqltext.Name{Base: change.To}).Same(w.d, sqltext.Name{Base: name.Base}) && w.isNew(later.Name()) {
				return true
			}
		}
	}
	return false
}

// rows notes statements that change rows, or take them away.
func (w *witness) rows(s sqltext.Statement) {
	if s.Verb == "TRUNCATE" {
		for _, name := range s.Names {
			if !w.isNew(name) {
				w.note(store.Destroys, name.String(), s.CodeLine, "TRUNCATE deletes all rows of %s: %s", name, inContract)
			}
		}
		if s.Cascade {
			w.note(store.Risky, s.Name().String(), s.CodeLine, "CASCADE also empties every table that refers to %s: name these tables instead", s.Name())
		}
		return
	}
	table := s.Name()
	if w.isNew(table) {
		return
	}
	all := !hasWhere(s)
	if s.Verb == "DELETE" && all {
		w.note(store.Destroys, table.String(), s.CodeLine, "DELETE without a condition deletes all rows of %s: %s", table, inContract)
	}
	if w.section.Shape == store.Whole {
		w.note(store.Blocks, table.String(), s.CodeLine, "%s changes its rows of %s in one transaction, and their other writers wait until its end: write it as a backfill, which goes in short batches", s.Verb, table)
	} else if s.Verb == "DELETE" && !all {
		w.note(store.Risky, table.String(), s.CodeLine, "rows of %s are deleted: check that no release needs them any more", table)
	}
}

func hasWhere(s sqltext.Statement) bool { return s.Reader().Has("WHERE") }
