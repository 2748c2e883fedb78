package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stopover-dev/stopover/internal/wire"
)

// fault shows an error: what happened, to what, what is safe.
func fault(p *page, e *wire.Error) {
	message := e.Message
	if place := e.Place(); place != "" && !strings.HasPrefix(message, place) {
		message = place + ": " + message
	}
	if e.Code != "" && !strings.Contains(message, e.Code) {
		message += " (" + e.Code + ")"
	}
	first, rest, _ := strings.Cut(message, "\n")
	p.line(red, "error: "+first)
	p.lines(plain, "  ", rest)
	source(p, e)
	for _, line := range e.Evidence {
		p.lines(plain, "  ", line)
	}
	if e.Detail != "" {
		p.lines(plain, "  ", "detail: "+e.Detail)
	}
	if e.Hint != "" {
		p.lines(plain, "  ", "hint: "+e.Hint)
	}
	if e.Safe != "" {
		p.lines(plain, "  ", sentence(e.Safe))
	}
}

// source shows the line at fault with a caret below the place, if known.
func source(p *page, e *wire.Error) {
	place := e.File
	if e.Line > 0 {
		place += fmt.Sprintf(":%d", e.Line)
	}
	if e.Statement > 0 {
		place = strings.TrimSpace(place + fmt.Sprintf(" (statement %d)", e.Statement))
	}
	if place != "" {
		p.line(plain, "  "+place)
	}
	if e.SQL == "" {
		return
	}
	line, _, _ := strings.Cut(e.SQL, "\n")
	number := ""
	if e.Line > 0 {
		number = fmt.Sprint(e.Line)
	}
	text, column := excerpt(line, e.Column)
	p.line(plain, fmt.Sprintf("  %s | %s", number, text))
	if column > 0 {
		p.line(red, fmt.Sprintf("  %s | %s^", strings.Repeat(" ", len(number)), strings.Repeat(" ", column-1)))
	}
}

const excerptWidth = 100

// excerpt cuts a long line around the column, and says where that is now.
func excerpt(line string, column int) (string, int) {
	runes := []rune(strings.TrimRight(line, "\r"))
	if column > len(runes)+1 {
		column = 0
	}
	from := 0
	if column > excerptWidth*3/4 {
		from = column - excerptWidth/2
	}
	to := min(len(runes), from+excerptWidth)
	text := string(runes[from:to])
	if to < len(runes) {
		text += " ..."
	}
	if from > 0 {
		text = "... " + text
		column += utf8.RuneCountInString("... ")
	}
	if column == 0 {
		return text, 0
	}
	return text, column - from
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	r, size := utf8.DecodeRuneInString(text)
	text = strings.ToUpper(string(r)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
