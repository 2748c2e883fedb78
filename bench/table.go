package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// unit is what a row's values are counted in.
type unit struct {
	suffix  string
	digits  int
	highest bool // the claim is about the highest value, not about the median
}

var (
	ratio         = unit{suffix: " x", digits: 2}
	percent       = unit{suffix: " %", digits: 2, highest: true}
	long3         = unit{suffix: " s", digits: 2, highest: true}
	millis        = unit{suffix: " ms", digits: 1}
	highestMillis = unit{suffix: " ms", digits: 1, highest: true}

	megs     = unit{suffix: " MB", digits: 1, highest: true}
	messages = unit{digits: 0, highest: true}
)

// row is one line of the table: what was measured, once a round.
type row struct {
	claim  string
	unit   unit
	values []float64
	limit  float64 // 0: shown beside the others, nothing is claimed
	least  bool    // the limit is the least that is allowed, not the most
	note   string
}

// figure is the value that stands for the row: the median, or the highest.
func (r row) figure() float64 {
	if r.unit.highest {
		return slices.Max(r.values)
	}
	return median(r.values)
}

func (r row) met() bool {
	if r.least {
		return r.figure() >= r.limit
	}
	return r.limit == 0 || r.figure() <= r.limit
}

func (r row) verdict() string {
	switch {
	case r.limit == 0:
		return ""
	case r.met():
		return "met"
	}
	return "NOT MET"
}

func (r row) show(value float64) string {
	return fmt.Sprintf("%.*f%s", r.unit.digits, value, r.unit.suffix)
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// printTable writes the header and the rows, and tells whether all claims are
// met.
func printTable(out io.Writer, header []string, rows []row) (bool, error) {
	for _, line := range header {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tmeasured\tmin .. max\tlimit\t\tin figures")
	missed := 0
	for _, r := range rows {
		limit := ""
		if r.limit > 0 {
			limit = "<= " + r.show(r.limit)
		}
		if r.least {
			limit = ">= " + r.show(r.limit)
		}
		if !r.met() {
			missed++
		}
		fmt.Fprintln(table, strings.Join([]string{r.claim, r.show(r.figure()),
			r.show(slices.Min(r.values)) + " .. " + r.show(slices.Max(r.values)), limit, r.verdict(), r.note}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	if missed > 0 {
		fmt.Fprintf(out, "\n%d of the claims NOT MET\n", missed)
	} else {
		fmt.Fprintln(out, "\nall claims met")
	}
	return missed == 0, nil
}
