// Package importer makes a catalogue to start from out of what people keep by
// hand: a table of schema versions and releases, or a list of required stops.
// It reads texts and gives texts; it touches no file and no store.
//
// The invariant: nothing is made up. What a source does not say is taken on the
// safe side and named in Unknown, and a migration whose statements are not known
// fails when somebody runs it.
package importer

import (
	"fmt"
	"slices"
)

// Catalogue is what came out of a source.
type Catalogue struct {
	From       string // the source, as shown to people
	Notes      []string
	Component  string
	Releases   []Release
	Migrations []Migration // in their order
	Unknown    []string    // what the source does not say, one sentence each
}

// Release is one entry of the list of releases.
type Release struct {
	ID        string
	Withdrawn bool   // nobody should roll to it
	Note      string // "": none
}

// Migration is one of the application's own, or a stand-in for one.
type Migration struct {
	Name  string
	Needs string // first release that needs it; "": not known
	Floor string // oldest release that may be alive beside it; "": none known
	Notes []string
	Text  string // its statements; "": not known
}

// Source is a migration as the application has it.
type Source struct {
	Name string // of the file, without its endings: "1681826233_backoff"
	Text string
}

// Problem says what cannot be read, and where.
type Problem struct {
	File    string
	Line    int // counts from 1; 0: the file as a whole
	Message string
	Next    string // what to write instead; "": the message says it
}

// Error gives place, message and what to do.
func (p *Problem) Error() string {
	text := p.Message
	if p.Next != "" {
		text += "; " + p.Next
	}
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, text)
	}
	return p.File + ": " + text
}

func (c *Catalogue) unknown(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(c.Unknown, text) {
		c.Unknown = append(c.Unknown, text)
	}
}

// release lists a release, once.
func (c *Catalogue) release(id string) {
	if id != "" && !slices.ContainsFunc(c.Releases, func(r Release) bool { return r.ID == id }) {
		c.Releases = append(c.Releases, Release{ID: id})
	}
}
