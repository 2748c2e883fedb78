package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ink is how a text looks where there are colours.
type ink uint8

const (
	plain ink = iota
	bold
	dim
	red
	green
	yellow
)

var inks = [...]string{bold: "1", dim: "2", red: "31", green: "32", yellow: "33"}

// page collects text.
type page struct {
	strings.Builder
	look Look
}

// line writes one line.
func (p *page) line(i ink, text string) {
	p.WriteString(p.paint(i, clean(text)))
	p.WriteByte('\n')
}

func (p *page) linef(format string, args ...any) { p.line(plain, fmt.Sprintf(format, args...)) }

// lines writes a text that may have several lines, each indented.
func (p *page) lines(i ink, indent, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.line(i, indent+strings.TrimRight(line, "\r\n"))
	}
}

func (p *page) blank() { p.WriteByte('\n') }

func (p *page) paint(i ink, text string) string {
	if !p.look.Color || i == plain || text == "" {
		return text
	}
	return "\x1b[" + inks[i] + "m" + text + "\x1b[0m"
}

// cell is one field of a table.
type cell struct {
	text string
	ink  ink
}

// table writes rows with aligned columns, two blanks between them. The last
// cell of a row never widens a column: it may be a sentence.
func (p *page) table(indent string, rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i := range len(row) - 1 {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].text))
		}
	}
	for _, row := range rows {
		p.row(indent, row, widths)
	}
}

func (p *page) row(indent string, row []cell, widths []int) {
	for len(row) > 0 && row[len(row)-1].text == "" {
		row = row[:len(row)-1]
	}
	p.WriteString(indent)
	for i, c := range row {
		text := clean(c.text)
		p.WriteString(p.paint(c.ink, text))
		if i < len(row)-1 {
			p.WriteString(strings.Repeat(" ", max(widths[i]-utf8.RuneCountInString(text), 0)+2))
		}
	}
	p.WriteByte('\n')
}

// clean takes control characters out of data, so that a row of somebody's
// table cannot move the cursor or hide a line.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return '\u00b7'
		}
		return r
	}, text)
}

func (p *page) when(t time.Time) string {
	zone := p.look.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04:05")
}
