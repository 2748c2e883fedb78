package postgres

import (
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// message is one message of the simple protocol: statements, ours and the
// user's, that travel in one trip. The server answers with one result for each
// piece, in order, or with an error at the first that fails; the pieces behind
// that one are not performed.
type message struct {
	text   strings.Builder
	runes  int // in text so far: the server counts positions in characters
	pieces []piece
}

// piece is one statement of a message.
type piece struct {
	start int // of its text, in runes
	runes int
	// user is the statement as written; nil for our own.
	user   *store.Statement
	blame  *store.Statement // of ours, but its failure is that statement's
	number int              // of user or blame, from 1
	// written is the user's text where another was sent: with a range put in.
	written string
	task    int // in a batch, from 0
	prefix  int // runes of ours before the user's text
	read    func(*pgconn.ResultReader) error
	tag     pgconn.CommandTag
}

// own adds a statement of ours. Its rows, if any, are dropped.
func (m *message) own(sql string) { m.add(piece{}, "", sql) }

// ask adds a statement of ours whose rows are read.
func (m *message) ask(sql string, read func(*pgconn.ResultReader) error) {
	m.add(piece{read: read}, "", sql)
}

// user adds a statement of a migration.
func (m *message) user(task, number int, statement store.Statement) {
	m.add(piece{user: &statement, number: number, task: task}, "", statement.Text)
}

// wrapped adds a statement of a migration behind a beginning of ours.
func (m *message) wrapped(prefix string, number int, statement store.Statement) {
	m.add(piece{user: &statement, number: number}, prefix, statement.Text)
}

func (m *message) add(p piece, prefix, sql string) {
	p.start = m.runes
	p.prefix = utf8.RuneCountInString(prefix)
	p.runes = p.prefix + utf8.RuneCountInString(sql)
	m.text.WriteString(prefix)
	m.text.WriteString(sql)
	// A line end first: sql may end in a comment.
	m.text.WriteString("\n;")
	m.runes += p.runes + 2
	m.pieces = append(m.pieces, p)
}

// at finds the piece at a position that the server gave (from 1).
func (m *message) at(position int) (piece, bool) {
	for _, p := range m.pieces {
		if position > p.start && position <= p.start+p.runes+1 {
			return p, true
		}
	}
	return piece{}, false
}

// lineAt gives the line in the migration's file of a position in the message.
func (p piece) lineAt(position int) int {
	if p.user == nil || p.user.Line == 0 {
		return 0
	}
	position -= p.start + p.prefix
	if p.written == "" {
		return sqltext.LineAt(p.user.Text, p.user.Line, position)
	}
	return lineAsWritten(p.written, p.user.Text, p.user.Line, position)
}

// ident writes a name so that it means exactly itself.
func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quote writes text as a literal that means the same whatever
// standard_conforming_strings says.
func quote(text string) string {
	text = strings.ReplaceAll(text, "'", "''")
	if strings.Contains(text, `\`) {
		return "E'" + strings.ReplaceAll(text, `\`, `\\`) + "'"
	}
	return "'" + text + "'"
}
