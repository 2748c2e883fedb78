package release

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Order reads the ids of one application. The zero Order takes each id as it
// looks.
type Order struct{ scheme Scheme }

// MixError says that two ids are not of one scheme, so that neither can be
// said to be the older.
type MixError struct{ One, Other string }

func (e *MixError) Error() string {
	return fmt.Sprintf("releases %s and %s are of different kinds: use versions (1.5, 1.5.3), numbers (1565) or dates (2026-05-01) for all of them", e.One, e.Other)
}

// ParseError says that a text is no release id.
type ParseError struct {
	Text   string
	Scheme Scheme // wanted; 0: any
}

func (e *ParseError) Error() string {
	switch e.Scheme {
	case Version:
		return fmt.Sprintf("%q is not a release: versions are written like 1.5, 1.5.3 or 1.6.0-rc.1", e.Text)
	case Number:
		return fmt.Sprintf("%q is not a release: releases here are whole numbers like 1565", e.Text)
	case Date:
		return fmt.Sprintf("%q is not a release: releases here are dates like 2026-05-01", e.Text)
	}
	return fmt.Sprintf("%q is not a release: write a version (1.5.3), a number (1565) or a date (2026-05-01)", e.Text)
}

// OrderOf picks the scheme that all ids fit. The errors are *ParseError and
// *MixError. Where several schemes fit, eight digits that are days are dates,
// other bare numbers are numbers.
func OrderOf(ids []string) (Order, error) {
	common := schemes{true, true, true}
	for i, id := range ids {
		fits := schemesOf(id)
		if fits == (schemes{}) {
			return Order{}, &ParseError{Text: id}
		}
		narrowed := common.and(fits)
		if narrowed == (schemes{}) {
			return Order{}, &MixError{One: opponent(ids[:i], fits), Other: id}
		}
		common = narrowed
	}
	if len(ids) == 0 {
		return Order{}, nil
	}
	return Order{scheme: common.pick()}, nil
}

// opponent finds the earlier id that shares no scheme with fits, or the first
// where only all of them together do not.
func opponent(earlier []string, fits schemes) string {
	for _, id := range earlier {
		if schemesOf(id).and(fits) == (schemes{}) {
			return id
		}
	}
	return earlier[0]
}

// Scheme says which scheme was picked; 0: none yet.
func (o Order) Scheme() Scheme { return o.scheme }

// Parse reads an id. The error is a *ParseError.
func (o Order) Parse(text string) (ID, error) {
	scheme := o.scheme
	if scheme == 0 {
		scheme = schemesOf(text).pick()
	}
	var id ID
	var ok bool
	switch scheme {
	case Version:
		id, ok = parseVersion(text)
	case Number:
		id.number, ok = parseNumber(text)
	case Date:
		id.number, ok = parseDate(text)
	}
	if !ok {
		return ID{}, &ParseError{Text: text, Scheme: o.scheme}
	}
	id.text, id.scheme = text, scheme
	return id, nil
}

// schemes is a set of schemes.
type schemes struct{ version, number, date bool }

func (s schemes) and(t schemes) schemes {
	return schemes{s.version && t.version, s.number && t.number, s.date && t.date}
}

// pick gives the most exact scheme of the set, 0 of an empty one.
func (s schemes) pick() Scheme {
	switch {
	case s.date:
		return Date
	case s.number:
		return Number
	case s.version:
		return Version
	}
	return 0
}

func schemesOf(text string) schemes {
	var s schemes
	_, s.version = parseVersion(text)
	_, s.number = parseNumber(text)
	_, s.date = parseDate(text)
	return s
}

func parseNumber(text string) (uint64, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, err == nil
}

// parseDate reads 2026-05-01 and 20260501 as the number 20260501.
func parseDate(text string) (uint64, bool) {
	layout := "2006-01-02"
	if len(text) == 8 {
		layout = "20060102"
	}
	day, err := time.Parse(layout, text)
	if err != nil {
		return 0, false
	}
	return uint64(day.Year())*10000 + uint64(day.Month())*100 + uint64(day.Day()), true
}
