package sqlaction

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// checkAll refuses statements that cannot be performed in the section's shape.
func checkAll(d sqltext.Dialect, section store.Section, kinds []sqltext.Statement) error {
	refuse := func(line int, format string, args ...any) error {
		return &store.SyntaxError{File: section.File, Line: line, Message: fmt.Sprintf(format, args...)}
	}
	if len(kinds) == 0 {
		return refuse(section.Line, "the section has no statement: write one, or delete the section")
	}
	for _, kind := range kinds {
		if kind.Refused != "" {
			return refuse(kind.CodeLine, "%s", kind.Refused)
		}
		if name, ours := changesBooks(kind); ours {
			return refuse(kind.CodeLine, "%s is part of Stopover's own books: a migration must leave them alone", name)
		}
		if section.Shape == store.Query && !kind.Reads {
			return refuse(kind.CodeLine, "%s: verify and when only look, so write a SELECT (or VALUES, TABLE, WITH .. SELECT) that returns what is wrong", notQuery(kind))
		}
		if line, found := kind.Marker(); found && section.Shape != store.Stretched {
			return refuse(line, ":range belongs into a backfill, which is the one step that is cut into ranges: write the condition itself")
		}
		if line, found := strayParameter(d, section.Shape, kind); found {
			return refuse(line, "a migration has no parameters: write the value itself")
		}
	}
	if section.Shape != store.Stretched {
		return nil
	}
	if len(kinds) > 1 {
		return refuse(kinds[1].CodeLine, "a backfill is one statement, cut into ranges: put this one into a migration of its own, or into expand if it is quick")
	}
	if kinds[0].Alone != "" {
		return refuse(kinds[0].CodeLine, "%s, so it cannot be a backfill: put it into expand or contract", kinds[0].Alone)
	}
	return nil
}

// books are the names of what Stopover keeps in a SQL store.
var books = []string{"stopover_note", "stopover_rev", "stopover_revision", "stopover_ledger", "stopover_enter", "stopover_done"}

// changesBooks tells whether a statement makes, changes or drops one of them:
// whoever deletes the notes has neither a ledger nor a lease. What is named like
// them in another schema is somebody else's.
func changesBooks(kind sqltext.Statement) (name string, ours bool) {
	if kind.Reads {
		return "", false
	}
	for _, n := range append(slices.Clone(kind.Names), kind.Table) {
		here := n.Schema == "" || strings.EqualFold(n.Schema, "main") || strings.EqualFold(n.Schema, "public")
		if here && slices.Contains(books, strings.ToLower(n.Base)) {
			return n.String(), true
		}
	}
	return "", false
}

func notQuery(kind sqltext.Statement) string {
	if kind.Verb == "SELECT" {
		return "this SELECT changes data (INTO, or a changing query of WITH)"
	}
	return kind.Verb + " is not a query"
}

// strayParameter finds a parameter, which SQLite would take for NULL. In
// PostgreSQL the server refuses them, and bodies of routines may have them.
func strayParameter(d sqltext.Dialect, shape store.Shape, kind sqltext.Statement) (int, bool) {
	if d != sqltext.SQLite {
		return 0, false
	}
	for _, t := range kind.Parameters() {
		if shape != store.Stretched || t.Text != ":range" {
			return t.Line, true
		}
	}
	return 0, false
}
