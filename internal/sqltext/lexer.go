package sqltext

import "strings"

const byteOrderMark = "\uFEFF"

// lexer cuts a text into tokens, one at a time, without loss: the tokens'
// texts joined are the text.
type lexer struct {
	d    Dialect
	src  string
	pos  int
	line int
}

// next gives the next token, or one of kind End.
func (l *lexer) next() (Token, error) {
	start, line := l.pos, l.line
	kind, err := l.scan()
	if err != nil {
		return Token{}, err
	}
	text := l.src[start:l.pos]
	l.line += strings.Count(text, "\n")
	return Token{Kind: kind, Text: text, Start: start, Line: line}, nil
}

// scan moves behind the token at pos.
func (l *lexer) scan() (TokenKind, error) {
	if l.pos >= len(l.src) {
		return End, nil
	}
	c := l.src[l.pos]
	switch {
	case l.blank():
		return Blank, nil
	case l.has("--"):
		l.lineComment()
		return Comment, nil
	case l.has("/*"):
		return Comment, l.blockComment()
	case c == '\'':
		return String, l.stringLiteral(0, false)
	case c == '"', c == '`' && l.d == SQLite:
		return Quoted, l.enclosed(0, c, false, "quoted name")
	case c == '[' && l.d == SQLite:
		return Quoted, l.bracketed()
	case c == '$':
		return l.dollar()
	case digit(c), c == '.' && digit(l.at(1)):
		l.number()
		return Number, nil
	case nameStart(c):
		return l.word()
	case strings.IndexByte("()[],;.", c) >= 0:
		l.pos++
		return Punct, nil
	case c == '\\':
		return End, l.refuseBackslash()
	case c == 0:
		return End, errorAt(l.line, "the text contains a NUL byte")
	}
	return l.sign()
}

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.src[l.pos:], prefix) }

// at gives the byte n after pos, 0 behind the end.
func (l *lexer) at(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

// blank moves over blanks and says whether there were any.
func (l *lexer) blank() bool {
	start := l.pos
	for l.pos < len(l.src) {
		switch {
		case space(l.d, l.src[l.pos]):
			l.pos++
		case l.has(byteOrderMark) && (l.pos == 0 || l.d == SQLite):
			l.pos += len(byteOrderMark)
		default:
			return l.pos > start
		}
	}
	return l.pos > start
}

// word moves over a name, or over a string or quoted name with a prefix.
func (l *lexer) word() (TokenKind, error) {
	if l.d == Postgres {
		c, next := l.src[l.pos]|0x20, l.at(1)
		switch {
		case next == '\'' && c == 'e':
			return String, l.stringLiteral(1, true)
		case next == '\'' && (c == 'b' || c == 'x' || c == 'n'):
			return String, l.stringLiteral(1, false)
		case c == 'u' && next == '&' && l.at(2) == '\'':
			return String, l.stringLiteral(2, false)
		case c == 'u' && next == '&' && l.at(2) == '"':
			return Quoted, l.enclosed(2, '"', false, "quoted name")
		}
	} else if c := l.src[l.pos] | 0x20; c == 'x' && l.at(1) == '\'' {
		return String, l.stringLiteral(1, false)
	}
	l.name()
	return Word, nil
}

// name moves over the letters of a name.
func (l *lexer) name() {
	for l.pos < len(l.src) && namePart(l.src[l.pos]) {
		l.pos++
	}
}

// number moves over a number, together with letters that stick to it: they are
// an error, or a name, in either dialect, and no matter here.
func (l *lexer) number() {
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch {
		case c == '.' && l.at(1) == '.':
			return
		case (c == '+' || c == '-') && l.exponent():
		case c == '$', c != '.' && !namePart(c):
			return
		}
		l.pos++
	}
}

// exponent says whether the sign at pos belongs to a number: 1e-5.
func (l *lexer) exponent() bool {
	if l.pos < 2 || l.src[l.pos-1]|0x20 != 'e' || !digit(l.at(1)) {
		return false
	}
	before := l.pos - 2
	for before >= 0 && (digit(l.src[before]) || l.src[before] == '.' || l.src[before] == '_') {
		before--
	}
	return before < 0 || !namePart(l.src[before])
}

func space(d Dialect, c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '\f':
		return true
	}
	return c == '\v' && d == Postgres
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func nameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func namePart(c byte) bool { return nameStart(c) || digit(c) || c == '$' }
