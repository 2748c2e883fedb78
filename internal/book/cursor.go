package book

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// Cursor is how far a backfill got.
type Cursor struct {
	Migration string    `json:"-"`
	Kind      plan.Kind `json:"-"`
	At        []byte    `json:"at,omitempty"` // the store's own cursor
	Rows      int64     `json:"rows"`         // changed so far; with spans: before they were made
	Total     int64     `json:"total,omitempty"`
	Size      int       `json:"size,omitempty"` // rows a stretch, as tuned so far
	Sweep     int       `json:"sweep,omitempty"`
	// Parts is how many spans the backfill has; each has a note of its own, so
	// that nobody waits for anybody else's. 0: At tells how far it got.
	Parts int    `json:"parts,omitempty"`
	Spans []Span `json:"-"` // in order
}

// Span is how far one span of a backfill got.
type Span struct {
	Number int    `json:"-"` // from 0
	From   []byte `json:"from,omitempty"`
	Upto   []byte `json:"upto,omitempty"`
	At     []byte `json:"at,omitempty"`   // the store's own cursor; nil: not begun
	Rows   int64  `json:"rows"`           // changed so far
	Seen   int64  `json:"seen,omitempty"` // gone through so far, changed or not
	Size   int    `json:"size,omitempty"`
	Ended  bool   `json:"ended,omitempty"`
}

// Changed is how many rows the backfill has changed so far.
func (c Cursor) Changed() int64 {
	rows := c.Rows
	for _, s := range c.Spans {
		rows += s.Rows
	}
	return rows
}

// Seen is how many rows the backfill has gone through so far, changed or not.
func (c Cursor) Seen() int64 {
	seen := c.Rows
	for _, s := range c.Spans {
		seen += max(s.Seen, s.Rows)
	}
	return seen
}

// Reached tells for people how far a backfill got in the order of keys.
func (c Cursor) Reached() string {
	if c.Parts == 0 {
		return string(c.At)
	}
	ended := 0
	var at []string
	for _, s := range c.Spans {
		if s.Ended {
			ended++
		} else if len(s.At) > 0 {
			at = append(at, string(s.At))
		}
	}
	return strings.Join(append([]string{strconv.Itoa(ended) + " of " + strconv.Itoa(c.Parts) + " spans"}, at...), ", ")
}

// Note encodes the cursor for writing under a guard of the lease.
func (c Cursor) Note() store.Note {
	return encode(cursorKey(c.Migration, c.Kind), c)
}

// SpanNote encodes one span for writing under a guard of the lease.
func (c Cursor) SpanNote(s Span) store.Note {
	return encode(c.SpanKey(s.Number), s)
}

// SpanKey is the key of a span's note.
func (c Cursor) SpanKey(number int) string {
	return cursorKey(c.Migration, c.Kind) + "/" + strconv.Itoa(number)
}

// Notes encodes the cursor and all of its spans.
func (c Cursor) Notes() []store.Note {
	notes := []store.Note{c.Note()}
	for _, s := range c.Spans {
		notes = append(notes, c.SpanNote(s))
	}
	return notes
}

// Gone is the note that takes the step's cursor away.
func (c Cursor) Gone() store.Note {
	return store.Note{Key: cursorKey(c.Migration, c.Kind), Rev: store.Any}
}

// AllGone are the notes that take the step's cursor and its spans away.
func (c Cursor) AllGone() []store.Note {
	notes := []store.Note{c.Gone()}
	for _, s := range c.Spans {
		notes = append(notes, store.Note{Key: c.SpanKey(s.Number), Rev: store.Any})
	}
	return notes
}

// ReadSpan reads a span's note; false: view has none.
func (c Cursor) ReadSpan(view store.View, number int) (span Span, found bool, err error) {
	for _, note := range view.Notes {
		if note.Key == c.SpanKey(number) {
			err := json.Unmarshal(note.Value, &span)
			span.Number = number
			return span, true, err
		}
	}
	return span, false, nil
}

func cursorKey(migration string, kind plan.Kind) string {
	return cursorPrefix + migration + "/" + kind.String()
}

// takeCursor takes a cursor's note, or that of one of its spans, which stand
// behind it.
func (s *State) takeCursor(rest string, note store.Note) error {
	if slash := strings.LastIndexByte(rest, '/'); slash > 0 {
		if number, err := strconv.Atoi(rest[slash+1:]); err == nil {
			return s.takeSpan(rest[:slash], number, note)
		}
	}
	migration, kind, ok := splitKey(rest)
	if !ok {
		return errNoStep
	}
	cursor := Cursor{Migration: migration, Kind: kind}
	if err := json.Unmarshal(note.Value, &cursor); err != nil {
		return err
	}
	s.Cursors[Step{migration, kind}] = cursor
	return nil
}

func (s *State) takeSpan(rest string, number int, note store.Note) error {
	migration, kind, ok := splitKey(rest)
	if !ok {
		return errNoStep
	}
	span := Span{Number: number}
	if err := json.Unmarshal(note.Value, &span); err != nil {
		return err
	}
	cursor, found := s.Cursors[Step{migration, kind}]
	if !found {
		return errors.New("it is a span of a cursor that is not there")
	}
	cursor.Spans = append(cursor.Spans, span)
	slices.SortFunc(cursor.Spans, func(a, b Span) int { return cmp.Compare(a.Number, b.Number) })
	s.Cursors[Step{migration, kind}] = cursor
	return nil
}

var errNoStep = errors.New("its key names no step")
