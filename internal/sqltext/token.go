package sqltext

import "strings"

// TokenKind says what a token is.
type TokenKind uint8

// The kinds of tokens. Blank and Comment carry no meaning; all others are code.
const (
	End       TokenKind = iota // after the last token
	Blank                      // spaces, line ends, a byte-order mark
	Comment                    // -- .. or /* .. */
	Word                       // a key word or a name without quotes
	Quoted                     // a name in quotes: "a", U&"a"; SQLite also `a` and [a]
	String                     // '..' with any prefix, $tag$..$tag$; continued lines included
	Number                     // 1, 1.5e3, 0xff, 1_000
	Parameter                  // $1, :name; SQLite also ?, ?1, @name, $name
	Operator                   // ::, :=, ->>, =
	Punct                      // one of ( ) [ ] , ; .
)

// Token is a piece of text with one meaning.
type Token struct {
	Kind  TokenKind
	Text  string
	Start int // byte offset
	Line  int // of its first byte
}

// Stop is the byte offset behind the token.
func (t Token) Stop() int { return t.Start + len(t.Text) }

// Is says whether the token is this key word, operator or punctuation mark,
// in any case of letters. A name in quotes is never a key word.
func (t Token) Is(word string) bool {
	switch t.Kind {
	case Word, Operator, Punct:
		return len(t.Text) == len(word) && strings.EqualFold(t.Text, word)
	}
	return false
}

// IsAny says whether the token is one of these key words.
func (t Token) IsAny(words ...string) bool {
	for _, word := range words {
		if t.Is(word) {
			return true
		}
	}
	return false
}

func (t Token) code() bool { return t.Kind > Comment }
