package sqltext

import "strings"

// Runs of these are one operator in PostgreSQL. An operator may end in + or -
// only if it contains one of the unusual ones.
const (
	operatorBytes = "~!@#^&|`?+-*/%<>="
	unusualBytes  = "~!@#^&|`?%"
)

// sqliteOperators are those of more than one byte, longest first.
var sqliteOperators = []string{"->>", "->", "||", "<<", ">>", "<=", ">=", "==", "!=", "<>"}

// sign moves over an operator or a parameter that begins with a sign.
func (l *lexer) sign() (TokenKind, error) {
	c := l.src[l.pos]
	switch {
	case l.has("::"), l.has(":="):
		l.pos += 2
		return Operator, nil
	case c == ':' && nameStart(l.at(1)), l.d == SQLite && (c == '@' || c == '#') && nameStart(l.at(1)):
		l.pos++
		l.name()
		return Parameter, nil
	case l.d == SQLite && c == '?':
		for l.pos++; digit(l.at(0)); l.pos++ {
		}
		return Parameter, nil
	case l.d == SQLite:
		l.sqliteOperator()
		return Operator, nil
	case strings.IndexByte(operatorBytes, c) >= 0:
		l.postgresOperator()
		return Operator, nil
	}
	l.pos++
	return Operator, nil
}

func (l *lexer) sqliteOperator() {
	for _, operator := range sqliteOperators {
		if l.has(operator) {
			l.pos += len(operator)
			return
		}
	}
	l.pos++
}

func (l *lexer) postgresOperator() {
	stop := l.pos
	for stop < len(l.src) && strings.IndexByte(operatorBytes, l.src[stop]) >= 0 {
		stop++
	}
	text := l.src[l.pos:stop]
	for _, comment := range []string{"--", "/*"} {
		if i := strings.Index(text, comment); i > 0 {
			text = text[:i]
		}
	}
	for len(text) > 1 && strings.IndexByte("+-", text[len(text)-1]) >= 0 && !strings.ContainsAny(text, unusualBytes) {
		text = text[:len(text)-1]
	}
	l.pos += len(text)
}

// refuseBackslash explains a backslash outside of strings: it is a command of
// psql, which no server understands.
func (l *lexer) refuseBackslash() error {
	stop := l.pos + 1
	for stop < len(l.src) && nameStart(l.src[stop]) {
		stop++
	}
	command := l.src[l.pos:stop]
	switch command {
	case `\copy`:
		return errorAt(l.line, `\copy is a command of psql, not SQL: write INSERT statements, or load the file in Go`)
	case `\restrict`, `\unrestrict`:
		return errorAt(l.line, `%s is a command of psql that pg_dump writes: delete the lines with \restrict and \unrestrict`, command)
	case `\i`, `\ir`, `\include`:
		return errorAt(l.line, `%s is a command of psql, not SQL: put the file's statements here`, command)
	}
	return errorAt(l.line, `%s is a command of psql, not SQL: delete it, or write it as a statement`, command)
}
