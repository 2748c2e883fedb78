package main

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Sizes in pixels.
const (
	cell    = 7.8 // width of a character of 13 px
	row     = 18.0
	margin  = 20.0
	bar     = 38.0 // the window's title
	columns = 108
)

// ink is how a run of text looks.
type ink struct {
	color              string
	bold, dim, slanted bool
}

// palette is by the codes of the terminal.
var palette = map[int]string{31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#79c0ff"}

const (
	paper = "#0d1117"
	text  = "#c9d1d9"
	faint = "#8b949e"
	white = "#f0f6fc"
)

// run is a piece of a line in one ink.
type run struct {
	text string
	ink  ink
}

// runs takes a line of a terminal apart.
func runs(line string) []run {
	var list []run
	var now ink
	for line != "" {
		before, rest, found := strings.Cut(line, "\x1b[")
		if before != "" {
			list = append(list, run{before, now})
		}
		if !found {
			break
		}
		codes, after, _ := strings.Cut(rest, "m")
		for code := range strings.SplitSeq(codes, ";") {
			now = now.with(code)
		}
		line = after
	}
	return list
}

func (i ink) with(code string) ink {
	n, err := strconv.Atoi(code)
	switch {
	case err != nil || n == 0:
		return ink{}
	case n == 1:
		i.bold = true
	case n == 2:
		i.dim = true
	case n == 3:
		i.slanted = true
	default:
		i.color = palette[n]
	}
	return i
}

// style gives the attributes of the ink.
func (i ink) style() string {
	color := i.color
	switch {
	case color != "":
	case i.bold:
		color = white
	case i.dim, i.slanted:
		color = faint
	default:
		color = text
	}
	style := fmt.Sprintf(` fill="%s"`, color)
	if i.bold {
		style += ` font-weight="bold"`
	}
	if i.slanted {
		style += ` font-style="italic"`
	}
	return style
}

// svg draws the lines in a window.
func svg(name string, lines []string) string {
	width, height := 2*margin+columns*cell, bar+float64(len(lines))*row+margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" aria-label="The terminal of %s">`+"\n",
		width, height, width, height, html.EscapeString(name))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="10" fill="%s"/>`+"\n", paper)
	for i, color := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%.0f" cy="19" r="6" fill="%s"/>`+"\n", margin+6+float64(i)*20, color)
	}
	b.WriteString(`<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">` + "\n")
	for n, line := range lines {
		drawLine(&b, line, bar+float64(n)*row+13)
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// drawLine places each word by itself and gives its width, so that columns
// stand below each other whatever font there is.
func drawLine(b *strings.Builder, line string, y float64) {
	column := 0
	for _, r := range runs(line) {
		for i, word := range strings.Split(r.text, " ") {
			if i > 0 {
				column++
			}
			n := utf8.RuneCountInString(word)
			if column+n > columns {
				return // a terminal of this width has no room for it
			}
			if n > 0 {
				fmt.Fprintf(b, `<text x="%.1f" y="%.0f" textLength="%.1f"%s>%s</text>`+"\n",
					margin+float64(column)*cell, y, float64(n)*cell, r.ink.style(), html.EscapeString(word))
			}
			column += n
		}
	}
}
