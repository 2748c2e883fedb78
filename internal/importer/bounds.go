package importer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/stopover-dev/stopover/internal/release"
)

// windows are the rows of a table with their releases understood.
type windows struct {
	file  string
	rows  []row // ascending by their first release
	order release.Order
}

// understand orders the rows. Bounds that a number tells exactly are made
// inclusive: < 1565 is <= 1564.
func understand(file string, rows []row) (*windows, error) {
	w := &windows{file: file, rows: rows}
	var ids []string
	lines := map[string]int{}
	for _, r := range rows {
		for _, id := range []string{r.releases.low, r.releases.high} {
			if id != "" {
				ids = append(ids, id)
				lines[id] = r.line
			}
		}
	}
	var err error
	if w.order, err = release.OrderOf(ids); err != nil {
		return nil, &Problem{File: file, Line: lines[faulty(err)], Message: err.Error()}
	}
	for i := range w.rows {
		if err := w.close(&w.rows[i]); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(w.rows, func(a, b row) int { return w.compare(a.releases.low, b.releases.low) })
	for i := 1; i < len(w.rows); i++ {
		a, b := w.rows[i-1], w.rows[i]
		if w.compare(a.releases.low, b.releases.low) == 0 {
			return nil, &Problem{File: file, Line: b.line, Message: a.name() + " and " + b.name() + " begin with the same release"}
		}
	}
	return w, nil
}

// faulty gives the id that an error of OrderOf is about.
func faulty(err error) string {
	switch e := err.(type) {
	case *release.ParseError:
		return e.Text
	case *release.MixError:
		return e.Other
	}
	return ""
}

// close makes bounds inclusive where that is exact, and refuses a row whose
// range holds nothing.
func (w *windows) close(r *row) error {
	s := &r.releases
	if s.lowOpen && w.after(s.low) != "" {
		s.low, s.lowOpen = w.after(s.low), false
	}
	if s.highOpen && w.before(s.high) != "" {
		s.high, s.highOpen = w.before(s.high), false
	}
	if s.low != "" && s.high != "" && w.compare(s.low, s.high) > 0 {
		return &Problem{File: w.file, Line: r.line, Message: r.name() + ": its range of releases ends before it begins"}
	}
	if s := r.schema; s.low != "" && s.high != "" && compareNumbers(s.low, s.high) > 0 {
		return &Problem{File: w.file, Line: r.line, Message: r.name() + ": its range of schema versions ends before it begins"}
	}
	return nil
}

// compare orders two releases; an open lower bound comes first.
func (w *windows) compare(a, b string) int {
	x, errA := w.order.Parse(a)
	y, errB := w.order.Parse(b)
	switch {
	case errA != nil && errB != nil:
		return 0
	case errA != nil:
		return -1
	case errB != nil:
		return 1
	}
	return release.Compare(x, y)
}

// after gives the release that follows one, where that can be told; "" if not.
func (w *windows) after(id string) string {
	n, err := strconv.ParseUint(id, 10, 63)
	if err != nil || w.order.Scheme() != release.Number {
		return ""
	}
	return strconv.FormatUint(n+1, 10)
}

// before gives the release before one, where that can be told; "" if not.
func (w *windows) before(id string) string {
	n, err := strconv.ParseUint(id, 10, 63)
	if err != nil || n == 0 || w.order.Scheme() != release.Number {
		return ""
	}
	return strconv.FormatUint(n-1, 10)
}

// number gives the digits that a schema version or a migration's name begins
// with, without zeros before them.
func number(name string) string {
	end := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(name)
	}
	return strings.TrimLeft(name[:end], "0")
}

// compareNumbers orders names by their leading numbers, of any length.
func compareNumbers(a, b string) int {
	x, y := number(a), number(b)
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
}
