package sqlaction

import (
	"strings"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// alter notes what an ALTER does to what is there already.
func (w *witness) alter(s sqltext.Statement) {
	switch s.Object {
	case "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW":
	case "TYPE":
		w.alterType(s)
		return
	default:
		w.renameObject(s)
		return
	}
	fresh := w.isNew(s.Name())
	for _, change := range s.Changes() {
		if fresh {
			w.follow(change)
			continue
		}
		w.compatibility(s, change)
		if w.d == sqltext.Postgres && (s.Object == "TABLE" || s.Object == "MATERIALIZED VIEW") {
			w.locks(s, change)
		}
	}
}

// follow keeps account of a new object that gets another name.
func (w *witness) follow(change sqltext.Change) {
	if change.Kind == sqltext.RenameTable {
		w.created = append(w.created, sqltext.Name{Base: change.To})
	}
}

// compatibility notes what running releases may stumble over.
func (w *witness) compatibility(s sqltext.Statement, c sqltext.Change) {
	table := s.Name().String()
	column := table + "." + c.Column
	const twice = "add the new name beside the old one, let releases change over, and drop the old one in contract"
	switch c.Kind {
	case sqltext.DropColumn:
		w.note(store.Destroys, column, c.Line, "column %s is dropped, which older releases may still use: %s", column, inContract)
	case sqltext.RenameColumn:
		w.note(store.Destroys, column, c.Line, "column %s is renamed, and older releases use the old name: %s", column, twice)
	case sqltext.RenameTable:
		w.note(store.Destroys, table, c.Line, "%s %s is renamed, and older releases use the old name: %s", strings.ToLower(s.Object), table, twice)
	case sqltext.SetSchema:
		w.note(store.Destroys, table, c.Line, "%s moves to schema %s, and older releases use the old one: leave a view under the old name", table, c.To)
	case sqltext.AddColumn:
		if (has(c.Body, "NOT", "NULL") || has(c.Body, "PRIMARY", "KEY")) && !filled(c.Body) {
			w.note(store.BreaksInsert, column, c.Line, "column %s is NOT NULL without DEFAULT: inserts of older releases fail, and so does this statement if there are rows; add it with a DEFAULT, or nullable and set NOT NULL in contract", column)
		}
	case sqltext.DropNotNull:
		w.note(store.Risky, column, c.Line, "column %s may be NULL from now on, which older releases may not expect: set readers= to the first release that does", column)
	case sqltext.DropDefault:
		w.note(store.Risky, column, c.Line, "column %s has no default any more: inserts of older releases that leave it out give NULL, or fail", column)
	}
}

// filled says whether a new column gets a value by itself.
func filled(definition *sqltext.Reader) bool {
	r := definition.Fork()
	if r.Find("DEFAULT") {
		return !r.Is("DEFAULT", "NULL")
	}
	return definition.Has("GENERATED") || isSerial(definition)
}

func isSerial(definition *sqltext.Reader) bool {
	return definition.Peek(0).IsAny("SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8")
}

// alterType notes changes of an enumeration or a composite type.
func (w *witness) alterType(s sqltext.Statement) {
	r := s.Reader()
	r.Take("ALTER", "TYPE")
	r.Name()
	object := s.Name().String()
	switch {
	case r.Take("ADD", "VALUE"):
		if !w.each && w.at < len(w.kinds)-1 {
			w.note(store.Risky, object, s.CodeLine, "a new value of %s cannot be used before the transaction that adds it has ended: write `each`, or use it in a later section", object)
		}
	case w.isNew(s.Name()):
	case r.Take("RENAME", "VALUE"):
		value := strings.Trim(r.Peek(0).Text, "'")
		w.note(store.Destroys, object+"."+value, s.CodeLine, "value %s of %s is renamed, and older releases use the old one: add the new value, and change over in a backfill", value, object)
	case r.Take("RENAME", "ATTRIBUTE"), r.Take("DROP", "ATTRIBUTE"):
		r.Take("IF", "EXISTS")
		name, _ := r.Name()
		w.note(store.Destroys, object+"."+name.Base, s.CodeLine, "attribute %s.%s goes away, which older releases may still use: %s", object, name.Base, inContract)
	default:
		w.renameObject(s)
	}
}

// renameObject notes a new name or schema of an object of any kind.
func (w *witness) renameObject(s sqltext.Statement) {
	if !used[s.Object] || w.isNew(s.Name()) {
		return
	}
	r, object, what := s.Reader(), s.Name().String(), strings.ToLower(s.Object)
	if r.Find("RENAME") && r.Is("RENAME", "TO") {
		w.note(store.Destroys, object, s.CodeLine, "%s %s is renamed, and older releases use the old name: make a second one under the new name, and drop the old one in contract", what, object)
	}
	if r = s.Reader(); r.Find("SET") && r.Is("SET", "SCHEMA") {
		w.note(store.Destroys, object, s.CodeLine, "%s %s moves to another schema, and older releases use the old one: make a second one there, and drop the old one in contract", what, object)
	}
}

// has says whether these words stand in this order at the present depth.
func has(r *sqltext.Reader, words ...string) bool {
	for r = r.Fork(); r.Find(words[0]); r.Next() {
		if r.Is(words...) {
			return true
		}
	}
	return false
}
