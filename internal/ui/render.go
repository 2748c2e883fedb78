// Package ui shows the documents and events of package wire to people: as
// text, as JSON, and plans also as a Markdown runbook and a Mermaid chart; and
// it asks the one question that a changing command asks.
//
// It decides nothing and looks nothing up: terminal, colours and width are
// told to it. The invariant: what it writes depends on its arguments alone, and
// no control character of the data reaches a terminal.
package ui

import (
	"fmt"
	"io"
	"time"

	"github.com/stopover-dev/stopover/internal/wire"
)

// Format is a form of output.
type Format string

// The formats. Markdown and Mermaid exist for plans only.
const (
	Text     Format = "text"
	JSON     Format = "json"
	Markdown Format = "markdown"
	Mermaid  Format = "mermaid"
)

// Look says how to show a document. The zero value is plain text with times
// in UTC.
type Look struct {
	Format  Format
	Color   bool           // the caller has asked whether the terminal has any and whether NO_COLOR is set
	Zone    *time.Location // of times in text; nil: UTC
	Verbose bool           // reasons of steps, sums, cursors
	Told    bool           // a Live has shown each step already: a report only sums up
	Program string         // how the program is called, for runbooks; "": stopover
}

// Render writes a document.
func Render(w io.Writer, doc wire.Document, look Look) error {
	return RenderTo(w, w, doc, look)
}

// RenderTo writes a document: as text its error, and what to type next after
// an error, go to errs, everything else to out. All other formats are whole
// and go to out.
func RenderTo(out, errs io.Writer, doc wire.Document, look Look) error {
	switch look.Format {
	case JSON:
		return wire.Encode(out, doc)
	case Markdown, Mermaid:
		plan, ok := doc.(*wire.Plan)
		if ok {
			return write(out, planAs(look.Format, plan, look))
		}
		// What went wrong before there was a plan is told as text.
	}
	body := &page{look: look}
	text(body, doc)
	top := doc.Top()
	end := body
	if top.Error != nil {
		end = &page{look: look}
	}
	warnings(body, top.Warnings)
	if d, ok := doc.(*wire.Report); ok && refusedOnly(d) {
		refusals(end, d)
	} else if top.Error != nil {
		fault(end, top.Error)
	}
	next(end, top.Next)
	if err := write(out, body.String()); err != nil || end == body {
		return err
	}
	return write(errs, end.String())
}

func planAs(format Format, plan *wire.Plan, look Look) string {
	if format == Mermaid {
		return chart(plan)
	}
	return runbook(plan, look)
}

func write(w io.Writer, text string) error {
	if text == "" {
		return nil
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

func text(p *page, doc wire.Document) {
	switch d := doc.(type) {
	case *wire.Status:
		status(p, d)
	case *wire.List:
		list(p, d)
	case *wire.Plan:
		planText(p, d)
	case *wire.Report:
		report(p, d)
	case *wire.Check:
		check(p, d)
	case *wire.Throttle:
		throttle(p, d)
	case *wire.Fleet:
		fleet(p, d)
	case *wire.Attest:
		attested(p, d)
	case *wire.Unlock:
		unlock(p, d)
	case *wire.Lint:
		lint(p, d)
	case *wire.New:
		created(p, d)
	case *wire.Import:
		imported(p, d)
	case *wire.VersionInfo:
		version(p, d)
	case *wire.Demo:
		demo(p, d)
	}
}

func warnings(p *page, texts []string) {
	for _, warning := range texts {
		p.line(yellow, "warning: "+warning)
	}
}

func next(p *page, commands []string) {
	for _, command := range commands {
		p.line(bold, "next: "+command)
	}
}
