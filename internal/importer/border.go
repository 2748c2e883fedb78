package importer

import (
	"fmt"
	"slices"
	"strings"
)

// border is what holds between the releases of one row and those of the next.
type border struct {
	floor string // oldest release beside the first migration that the earlier row does not know
	needs string // first release that needs the later row's first migration
	note  string
}

// border finds it. Where no release is in both rows, the table's own procedure
// is followed: everything goes to the newest release of the earlier row first.
func (c *tableImport) border(r, next row) border {
	high, low := r.releases.high, next.releases.low
	b := border{floor: low, needs: low}
	if high != "" && !r.releases.highOpen && c.compare(high, low) >= 0 {
		b.needs = c.following(high)
		b.note = fmt.Sprintf("Releases from %s on are in both rows.", low)
		return b
	}
	if c.schemasMeet(r, next) {
		b.note = fmt.Sprintf("Releases before %s end here, those from it on live with earlier versions too.", low)
		return b
	}
	newest := high
	if newest == "" || r.releases.highOpen {
		newest = c.before(low)
	}
	if newest == "" {
		c.out.unknown("the newest release before %s: without it nothing may be alive beside the migration where %s begins, and plans find only an offline way", low, next.name())
		b.note = fmt.Sprintf("The newest release before %s can live with this, perhaps: name it in writers and readers.", low)
		return b
	}
	if high == "" {
		c.out.unknown("where %s ends: it is taken to reach up to %s, the last before %s begins", r.name(), newest, next.name())
	} else if after := c.after(high); after != "" && after != low {
		c.out.unknown("what the releases between %s and %s can live with: no row has them", high, low)
	}
	b.floor = newest
	b.note = fmt.Sprintf("Only %s, the newest release before, is taken to live with this; the table does not say which do.", newest)
	c.out.unknown("which releases of %s can live with the schema of %s: only the newest, %s, is taken to (a test of an older one saves the stop; if %s cannot either, mark the migration offline)",
		r.name(), next.name(), newest, newest)
	return b
}

// schemasMeet tells whether two rows have schema versions in common.
func (c *tableImport) schemasMeet(r, next row) bool {
	if r.schema.high == "" || next.schema.low == "" {
		return false
	}
	order := compareNumbers(r.schema.high, next.schema.low)
	return order > 0 || order == 0 && !r.schema.highOpen && !next.schema.lowOpen
}

// following gives the first release after one: the next number, or else the next
// one that the table names.
func (c *tableImport) following(id string) string {
	if after := c.after(id); after != "" {
		return after
	}
	best := ""
	for _, r := range c.rows {
		for _, other := range []string{r.releases.low, r.releases.high} {
			if other != "" && c.compare(other, id) > 0 && (best == "" || c.compare(other, best) < 0) {
				best = other
			}
		}
	}
	if best == "" {
		c.out.unknown("which release comes after %s: it would be the first that needs the next row's schema", id)
	}
	return best
}

// uncovered names the migrations that no row has, and those of which no row
// says who needs them.
func (c *tableImport) uncovered() {
	if !c.known {
		return
	}
	var outside, open []string
	for _, m := range c.out.Migrations {
		switch {
		case !slices.ContainsFunc(c.rows, func(r row) bool { return r.schema.covers(m.Name) }):
			outside = append(outside, m.Name)
		case m.Needs == "":
			open = append(open, m.Name)
		}
	}
	if len(outside) > 0 {
		c.out.unknown("who can live with %s: no row covers %s", list(outside), pronoun(outside))
	}
	if len(open) > 0 {
		c.out.unknown("which release is the first to need %s: add needs= where you know it", list(open))
	}
}

// covers tells whether a range of schema versions has a migration.
func (s span) covers(name string) bool {
	if s.low != "" {
		if order := compareNumbers(name, s.low); order < 0 || order == 0 && s.lowOpen {
			return false
		}
	}
	if s.high != "" {
		if order := compareNumbers(name, s.high); order > 0 || order == 0 && s.highOpen {
			return false
		}
	}
	return true
}

// sort puts the releases in order.
func (c *tableImport) sort() {
	slices.SortStableFunc(c.out.Releases, func(a, b Release) int { return c.compare(a.ID, b.ID) })
}

func pronoun(names []string) string {
	if len(names) == 1 {
		return "it"
	}
	return "them"
}

// list names a few of many.
func list(names []string) string {
	if len(names) > 12 {
		return strings.Join(names[:12], ", ") + fmt.Sprintf(" and %d more", len(names)-12)
	}
	return strings.Join(names, ", ")
}
