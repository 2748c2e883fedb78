package sqltext

import "strings"

// enclosed moves over what stands between two quotes, doubled ones included.
// prefix is the number of bytes before the first quote.
func (l *lexer) enclosed(prefix int, quote byte, backslash bool, what string) error {
	for i := l.pos + prefix + 1; i < len(l.src); i++ {
		switch {
		case backslash && l.src[i] == '\\':
			i++
		case l.src[i] != quote:
		case i+1 < len(l.src) && l.src[i+1] == quote:
			i++
		default:
			l.pos = i + 1
			return nil
		}
	}
	return errorAt(l.line, "the %s that begins here is not closed", what)
}

// stringLiteral moves over a string. In PostgreSQL strings with nothing but
// blanks and a line end between them are one, read by the rules of the first.
func (l *lexer) stringLiteral(prefix int, backslash bool) error {
	begin, from := l.line, l.pos
	err := l.enclosed(prefix, '\'', backslash, "string")
	for err == nil && l.d == Postgres {
		next, found := l.continuation()
		if !found {
			break
		}
		l.line += strings.Count(l.src[from:next], "\n")
		l.pos, from = next, next
		err = l.enclosed(0, '\'', backslash, "string")
	}
	l.line = begin // next counts the whole token
	return err
}

// continuation finds the quote that continues the string that ends at pos.
func (l *lexer) continuation() (int, bool) {
	ahead := lexer{d: l.d, src: l.src, pos: l.pos}
	lineEnd := false
	for ahead.pos < len(ahead.src) {
		switch {
		case ahead.has("--"):
			ahead.lineComment()
		case space(l.d, ahead.src[ahead.pos]):
			lineEnd = lineEnd || ahead.src[ahead.pos] == '\n' || ahead.src[ahead.pos] == '\r'
			ahead.pos++
		default:
			return ahead.pos, lineEnd && ahead.src[ahead.pos] == '\''
		}
	}
	return 0, false
}

// bracketed moves over a SQLite name in square brackets; they have no escape.
func (l *lexer) bracketed() error {
	stop := strings.IndexByte(l.src[l.pos:], ']')
	if stop < 0 {
		return errorAt(l.line, "the name in [ ] that begins here is not closed")
	}
	l.pos += stop + 1
	return nil
}

// lineComment moves to the line end, which is not part of the comment.
func (l *lexer) lineComment() {
	ends := "\n"
	if l.d == Postgres {
		ends = "\r\n"
	}
	stop := strings.IndexAny(l.src[l.pos:], ends)
	if stop < 0 {
		stop = len(l.src) - l.pos
	}
	l.pos += stop
}

// blockComment moves over a comment. PostgreSQL's nest, SQLite's do not.
func (l *lexer) blockComment() error {
	depth := 1
	for i := l.pos + 2; i+1 < len(l.src); i++ {
		switch l.src[i : i+2] {
		case "*/":
			i++
			depth--
			if depth == 0 {
				l.pos = i + 1
				return nil
			}
		case "/*":
			if l.d == Postgres {
				i++
				depth++
			}
		}
	}
	return errorAt(l.line, "the comment /* that begins here is not closed")
}

// dollar moves over $1, and over $tag$..$tag$ in PostgreSQL or $name in SQLite.
func (l *lexer) dollar() (TokenKind, error) {
	i := l.pos + 1
	for i < len(l.src) && (nameStart(l.src[i]) || digit(l.src[i])) {
		i++
	}
	closed := i < len(l.src) && l.src[i] == '$'
	switch {
	case l.d == SQLite && i > l.pos+1:
		l.pos = i
		return Parameter, nil
	case digit(l.at(1)):
		for l.pos++; digit(l.at(0)); l.pos++ {
		}
		return Parameter, nil
	case l.d == Postgres && closed:
		tag := l.src[l.pos : i+1]
		stop := strings.Index(l.src[i+1:], tag)
		if stop < 0 {
			return End, errorAt(l.line, "the text in %s that begins here is not closed", tag)
		}
		l.pos = i + 1 + stop + len(tag)
		return String, nil
	}
	l.pos++
	return Operator, nil
}
