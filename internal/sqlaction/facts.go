package sqlaction

import (
	"fmt"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// witness goes through the statements of one section in order and notes what
// they do to the application. It knows only their text.
type witness struct {
	d       sqltext.Dialect
	section store.Section
	each    bool
	kinds   []sqltext.Statement
	at      int // index of the statement in hand

	created []sqltext.Name   // objects that the section made: nobody uses them yet
	checks  map[string]check // CHECK constraints that the section added, by table and name
	facts   []store.Fact
}

// check is a constraint that was added in the section.
type check struct {
	notNull   string // the column, where the condition is `column IS NOT NULL`
	validated bool
}

// facts gives what the statements do to the application.
func facts(d sqltext.Dialect, section store.Section, action *Action) []store.Fact {
	w := &witness{d: d, section: section, each: action.Each, kinds: action.Kinds, checks: map[string]check{}}
	for i, s := range w.kinds {
		w.at = i
		switch s.Verb {
		case "CREATE":
			w.create(s)
		case "DROP":
			w.drop(s)
		case "ALTER":
			w.alter(s)
		case "UPDATE", "DELETE", "TRUNCATE":
			w.rows(s)
		case "REINDEX", "VACUUM", "CLUSTER", "REFRESH", "LOCK":
			w.upkeep(s)
		}
	}
	w.longNames()
	return w.facts
}

func (w *witness) note(kind store.FactKind, object string, line int, format string, args ...any) {
	w.facts = append(w.facts, store.Fact{Kind: kind, Object: object, Line: line, Message: fmt.Sprintf(format, args...)})
}

// isNew says whether the section itself made the object.
func (w *witness) isNew(name sqltext.Name) bool {
	for _, created := range w.created {
		if created.Same(w.d, name) {
			return true
		}
	}
	return false
}

// create notes what a CREATE does to what is there already.
func (w *witness) create(s sqltext.Statement) {
	w.created = append(w.created, s.Names...)
	if s.Object != "INDEX" || w.isNew(s.Table) {
		return
	}
	table := s.Table.String()
	if w.d == sqltext.Postgres && !s.Concurrently {
		w.note(store.Blocks, table, s.CodeLine, "CREATE INDEX stops all writes to %s until the index is built: write CREATE INDEX CONCURRENTLY with a name", table)
	}
	if s.Unique {
		w.note(store.Risky, table, s.CodeLine, "a unique index on %s fails on duplicates that are there, and writers that make duplicates get errors from then on: find them first, and set writers= to the first release that makes none", table)
	}
}

// upkeep notes statements that rebuild what is there.
func (w *witness) upkeep(s sqltext.Statement) {
	object, line := s.Name().String(), s.CodeLine
	switch {
	case len(s.Names) > 0 && w.isNew(s.Name()):
	case w.d == sqltext.SQLite:
		if s.Verb == "VACUUM" {
			w.note(store.Blocks, object, line, "VACUUM writes the whole file anew, and nobody else can write meanwhile: do it in an offline step, or set auto_vacuum")
		}
	case s.Verb == "REINDEX" && !s.Concurrently:
		w.note(store.Blocks, object, line, "REINDEX stops all writes until the index is built: write REINDEX .. CONCURRENTLY")
	case s.Verb == "REFRESH" && !s.Concurrently:
		w.note(store.Blocks, object, line, "REFRESH stops all readers of %s until it is done: give it a unique index and write REFRESH MATERIALIZED VIEW CONCURRENTLY", object)
	case s.Verb == "CLUSTER", s.Verb == "VACUUM" && isFull(s):
		w.note(store.Blocks, object, line, "%s rewrites the table and stops all readers and writers meanwhile: do it in an offline step, or copy the rows into a new table in a backfill", s.Verb)
	case s.Verb == "LOCK":
		w.note(store.Blocks, object, line, "LOCK stops others until the section ends: delete it, the statements take the locks that they need")
	}
}

// isFull says whether a VACUUM rewrites the table.
func isFull(s sqltext.Statement) bool {
	r := s.Reader()
	r.Take("VACUUM")
	if r.Is("FULL") {
		return true
	}
	if !r.Take("(") {
		return false
	}
	for _, option := range r.Items() {
		if option.Take("FULL") {
			return !option.Peek(0).IsAny("FALSE", "OFF") && option.Peek(0).Text != "0"
		}
	}
	return false
}

// maxName is the longest name in PostgreSQL, in bytes.
const maxName = 63

// longNames notes names that PostgreSQL would cut without an error.
func (w *witness) longNames() {
	if w.d != sqltext.Postgres {
		return
	}
	seen := map[string]bool{}
	for _, s := range w.kinds {
		for r := s.Reader(); !r.AtEnd(); r.Next() {
			t := r.Peek(0)
			if t.Kind != sqltext.Word && t.Kind != sqltext.Quoted {
				continue
			}
			name := sqltext.Identifier(w.d, t)
			if len(name) > maxName && !seen[name] {
				seen[name] = true
				w.note(store.Risky, name, t.Line, "the name %s has %d bytes, and PostgreSQL cuts names after %d without an error: choose a shorter one", name, len(name), maxName)
			}
		}
	}
}
