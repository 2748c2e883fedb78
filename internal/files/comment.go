package files

import (
	"strings"

	"github.com/stopover-dev/stopover/internal/spelling"
)

// directiveMark begins a directive line, at the beginning of the line.
const directiveMark = "-- stopover:"

const example = "`-- stopover: expand`"

// nearMiss reports that a line is a comment that nearly spells a directive:
// another case, other blanks, a letter off, a block comment, not at the begin
// of the line. Such a line would silently be no directive.
func nearMiss(row string) bool {
	text := strings.TrimLeft(row, " \t\f\v")
	if !strings.HasPrefix(text, "--") && !strings.HasPrefix(text, "/*") && !strings.HasPrefix(text, "#") {
		return strings.Contains(row, directiveMark)
	}
	word, rest := firstWord(strings.TrimLeft(text, "-/*# \t"))
	if len(word) < 6 || len(word) > 10 || !likeStopover(word) {
		return false
	}
	return strings.HasPrefix(rest, ":") || oneOf(kindAfter(rest), kindNames)
}

// firstWord takes the letters from the front of a comment, and what stands
// behind them. The name of the tool may be written in two words.
func firstWord(text string) (word, rest string) {
	word, rest = cutLetters(text)
	if strings.EqualFold(word, "stop") {
		if over, after := cutLetters(strings.TrimLeft(rest, " _-")); strings.EqualFold(over, "over") {
			word, rest = word+over, after
		}
	}
	return word, strings.TrimLeft(rest, " \t")
}

func cutLetters(text string) (letters, rest string) {
	end := 0
	for end < len(text) && (text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z') {
		end++
	}
	return text[:end], text[end:]
}

// kindAfter gives the word that would be a directive's kind.
func kindAfter(rest string) string {
	word, _ := cutWord(strings.TrimLeft(strings.TrimSpace(rest), ": \t"))
	return strings.ToLower(word)
}

// intended spells the directive that a near miss was most likely meant to be.
func intended(row string) string {
	_, after, found := strings.Cut(row, directiveMark)
	if !found {
		_, after = firstWord(strings.TrimLeft(row, "-/*# \t\f\v"))
	}
	if kind := kindAfter(after); oneOf(kind, kindNames) {
		return "`" + directiveMark + " " + kind + "`"
	}
	return example
}

// likeStopover reports that a word is off by two letters at most.
func likeStopover(word string) bool {
	return strings.EqualFold(word, "stopover") || spelling.Distance(strings.ToLower(word), "stopover") <= 2
}

func oneOf(word string, list []string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// firstStatement gives the offset of the first byte that is neither blank nor
// in a comment nor a lone semicolon; len(text) where there is none.
func firstStatement(text string) int {
	for at := 0; at < len(text); {
		switch c := text[at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v' || c == ';':
			at++
		case strings.HasPrefix(text[at:], "--") || strings.HasPrefix(text[at:], "/*"):
			at = skipComment(text, at)
		default:
			return at
		}
	}
	return len(text)
}

// skipComment gives the offset behind the comment that begins at the offset.
// Block comments nest, as PostgreSQL has them.
func skipComment(text string, at int) int {
	if text[at] == '-' {
		if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
			return at + n + 1
		}
		return len(text)
	}
	depth := 0
	for at < len(text) {
		switch {
		case strings.HasPrefix(text[at:], "/*"):
			depth++
			at += 2
		case strings.HasPrefix(text[at:], "*/"):
			depth--
			at += 2
			if depth == 0 {
				return at
			}
		default:
			at++
		}
	}
	return at
}

// insideQuote reports that a text ends within a string, a quoted name, a
// dollar-quoted body or a block comment. It is asked only for lines that look
// like a directive, so its answer may be roughly right.
func insideQuote(text string) bool {
	for at := 0; at < len(text); {
		end := at + 1
		switch c := text[at]; {
		case strings.HasPrefix(text[at:], "--"):
			end = skipComment(text, at)
		case strings.HasPrefix(text[at:], "/*"):
			end = skipComment(text, at)
			if end == len(text) && !strings.HasSuffix(text, "*/") {
				return true
			}
		case c == '\'' || c == '"':
			n := strings.IndexByte(text[at+1:], c)
			if n < 0 {
				return true
			}
			end = at + n + 2
		case c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z': // a dollar sign within a name is part of it
			for end < len(text) && inName(text[end]) {
				end++
			}
		case c == '$':
			tag := dollarTag(text[at:])
			if tag == "" {
				break
			}
			n := strings.Index(text[at+len(tag):], tag)
			if n < 0 {
				return true
			}
			end = at + n + 2*len(tag)
		}
		at = end
	}
	return false
}

func inName(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// dollarTag gives the dollar quote that a text begins with: "$$", "$body$".
func dollarTag(text string) string {
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			return text[:i+1]
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || i > 1 && c >= '0' && c <= '9':
		default:
			return ""
		}
	}
	return ""
}

// excerpt gives a line for a message, cut at 60 bytes, and before what may be
// a password in a URL.
func excerpt(row string) string {
	row = strings.TrimSpace(row)
	if scheme, _, found := strings.Cut(row, "://"); found {
		row = scheme + "://..."
	}
	if len(row) > 60 {
		row = strings.ToValidUTF8(row[:60], "") + " ..."
	}
	return row
}
