package sqlite

import (
	"errors"
	"regexp"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// culprits are the messages of SQLite that name a word of the statement. It
// tells no positions.
var culprits = regexp.MustCompile(`^(?:near "([^"]+)": syntax error|no such (?:table|column|function|index|view|trigger): (?:[^.]+\.)*(.+)|duplicate column name: (.+)|unrecognized token: "(.+)")$`)

// atFault gives a failed statement the line of its fault: that of the word that
// SQLite names, if it stands there once, else that of the statement's first
// word.
func atFault(err error, kind sqltext.Statement) error {
	failure, ok := errors.AsType[*store.StatementError](err)
	if !ok {
		return err
	}
	failure.Line = kind.CodeLine
	m := culprits.FindStringSubmatch(failure.Message)
	if m == nil {
		return err
	}
	line, times := 0, 0
	for r := kind.Reader(); !r.AtEnd(); {
		t := r.Next()
		for _, word := range m[1:] {
			if word != "" && (t.Is(word) || sqltext.Identifier(sqltext.SQLite, t) == word) {
				line, times = t.Line, times+1
			}
		}
	}
	if times == 1 {
		failure.Line = line
	}
	return err
}
