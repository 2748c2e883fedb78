package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Split cuts a script into its statements and says of each what it is. line is
// that of the script's first byte. Statements without code are dropped. The
// error is an *Error.
//
// A COPY .. FROM STDIN is refused here, not by its Refused sentence: what
// follows it may be data, which cannot be read as SQL.
func Split(d Dialect, script string, line int) ([]Statement, error) {
	if !utf8.ValidString(script) {
		return nil, errorAt(line+invalidLine(script), "the text is not valid UTF-8")
	}
	s := splitter{lex: lexer{d: d, src: script, line: line}, start: -1}
	for {
		t, err := s.lex.next()
		if err == nil {
			err = s.add(t)
		}
		if err != nil {
			return nil, err
		}
		if t.Kind == End {
			return s.out, nil
		}
	}
}

func invalidLine(script string) int {
	lines := 0
	for i, r := range script {
		if r == '\n' {
			lines++
		}
		if r == utf8.RuneError && !strings.HasPrefix(script[i:], "\uFFFD") {
			break
		}
	}
	return lines
}

// splitter holds the statement that is being read.
type splitter struct {
	lex   lexer
	start int     // offset of the first comment or code token; -1: none yet
	line  int     // of start
	stop  int     // behind the last comment or code token
	toks  []Token // code so far
	open  []Token // brackets and bodies not closed yet, outermost first
	out   []Statement
}

func (s *splitter) add(t Token) error {
	if t.Kind == Blank {
		return nil
	}
	if t.Kind == End {
		if err := s.checkClosed(); err != nil {
			return err
		}
		return s.finish()
	}
	if t.Is(";") && len(s.open) == 0 {
		return s.finish()
	}
	if s.start < 0 {
		s.start, s.line = t.Start, t.Line
	}
	s.stop = t.Stop()
	if t.Kind == Comment {
		return nil
	}
	err := s.nest(t)
	s.toks = append(s.toks, t)
	return err
}

// nest keeps account of brackets and bodies.
func (s *splitter) nest(t Token) error {
	switch {
	case t.Is("("), t.Is("["), s.beginsBody(t):
		s.open = append(s.open, t)
	case t.Is(")"), t.Is("]"):
		opener := map[string]string{")": "(", "]": "["}[t.Text]
		if len(s.open) == 0 || !s.open[len(s.open)-1].Is(opener) {
			return errorAt(t.Line, "there is no %s for this %s", opener, t.Text)
		}
		s.open = s.open[:len(s.open)-1]
	case s.endsBody(t):
		s.open = s.open[:len(s.open)-1]
	case t.Is(";") && s.open[len(s.open)-1].Kind == Punct && !s.isRule():
		return s.checkClosed()
	}
	return nil
}

func (s *splitter) checkClosed() error {
	if len(s.open) == 0 {
		return nil
	}
	t := s.open[len(s.open)-1]
	switch {
	case t.Kind == Punct:
		return errorAt(t.Line, "the %s that begins here is not closed", t.Text)
	case s.lex.d == SQLite:
		return errorAt(t.Line, "the trigger body that begins here is not closed: it ends with `END` after a semicolon")
	}
	return errorAt(t.Line, "the BEGIN ATOMIC that begins here is not closed: it ends with `END` after a semicolon")
}

// beginsBody: the body of a PostgreSQL routine in standard SQL begins with
// BEGIN ATOMIC (at its second word), that of a SQLite trigger with BEGIN after
// ON table.
func (s *splitter) beginsBody(t Token) bool {
	if len(s.open) > 0 || t.Kind != Word || len(s.toks) == 0 {
		return false
	}
	before := s.toks[len(s.toks)-1]
	r := Reader{d: s.lex.d, toks: s.toks}
	if s.lex.d == Postgres {
		if !t.Is("ATOMIC") || !before.Is("BEGIN") || !r.Take("CREATE") {
			return false
		}
		r.Take("OR", "REPLACE")
		return r.Peek(0).IsAny("FUNCTION", "PROCEDURE")
	}
	if !t.Is("BEGIN") || before.Is(".") || before.Is("ON") || !r.Take("CREATE") {
		return false
	}
	r.TakeAny("TEMP", "TEMPORARY")
	return r.Take("TRIGGER") && r.Find("ON")
}

// endsBody: every statement in a body ends with a semicolon, so the END that
// closes the body is the one that follows a semicolon, or stands in an empty
// body; the END of a CASE never does.
func (s *splitter) endsBody(t Token) bool {
	if !t.Is("END") || len(s.open) == 0 || s.open[len(s.open)-1].Kind != Word {
		return false
	}
	return s.toks[len(s.toks)-1].IsAny(";", "ATOMIC", "BEGIN")
}

// isRule: CREATE RULE .. DO (a; b) is the one statement with semicolons in
// brackets.
func (s *splitter) isRule() bool {
	r := Reader{d: s.lex.d, toks: s.toks}
	if s.lex.d != Postgres || !r.Take("CREATE") {
		return false
	}
	r.Take("OR", "REPLACE")
	return r.Is("RULE")
}

// finish makes a statement of what was read.
func (s *splitter) finish() error {
	toks, start, line := s.toks, s.start, s.line
	s.toks, s.start = nil, -1
	if len(toks) == 0 {
		return nil
	}
	codeLine := toks[0].Line
	for i := range toks {
		toks[i].Start -= start
	}
	st := Statement{Text: s.lex.src[start:s.stop], Offset: start, Line: line, CodeLine: codeLine, d: s.lex.d, toks: toks}
	st.classify()
	if st.stream {
		return errorAt(codeLine, "%s", st.Refused)
	}
	s.out = append(s.out, st)
	return nil
}
