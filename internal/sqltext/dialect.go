// Package sqltext reads SQL as text: it cuts a script into statements, says
// what each statement is, and puts a key range into one. It knows the lexical
// rules of PostgreSQL and SQLite, and as much grammar as these questions need;
// it is no parser, and what it does not know it leaves to the server.
//
// The invariant: text is only ever cut between tokens. Strings, comments,
// quoted names and function bodies come out byte for byte as they went in, and
// text that could swallow what follows it (an unclosed string, comment, bracket
// or body) is refused with the line where it began.
package sqltext

import "fmt"

// Dialect says whose rules a text follows.
type Dialect uint8

// The dialects.
const (
	Postgres Dialect = iota + 1
	SQLite
)

// String gives the name as it is written in messages.
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "PostgreSQL"
	case SQLite:
		return "SQLite"
	}
	return fmt.Sprintf("Dialect(%d)", uint8(d))
}

// Error says why a text cannot be read, and where.
type Error struct {
	Line    int // counted from the line that the caller gave for the text's first
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

func errorAt(line int, format string, args ...any) *Error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}
