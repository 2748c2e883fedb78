package importer

import (
	"fmt"
	"slices"
	"strings"
)

// Table makes a catalogue of a table with a row for each range of schema
// versions that a range of releases can live with. sources are the migrations
// that the schema versions are the numbers of; without them, the table's own
// numbers stand for migrations. The error is a *Problem.
func Table(file string, data []byte, sources []Source) (*Catalogue, error) {
	rows, err := readTable(file, data)
	if err != nil {
		return nil, err
	}
	w, err := understand(file, rows)
	if err != nil {
		return nil, err
	}
	c := &tableImport{windows: w, out: &Catalogue{From: file, Component: "app"}, known: len(sources) > 0}
	if err := c.migrations(sources); err != nil {
		return nil, err
	}
	for i := range w.rows {
		c.row(i)
	}
	c.uncovered()
	c.sort()
	return c.out, nil
}

// tableImport is a table on its way to a catalogue.
type tableImport struct {
	*windows
	out   *Catalogue
	known bool // which migrations there are
}

// migrations lists those that were given, or those that the table names.
func (c *tableImport) migrations(sources []Source) error {
	for _, s := range sources {
		if !isName(s.Name) {
			return &Problem{File: s.Name + ".sql", Message: wrongName, Next: "rename the file first"}
		}
		c.out.Migrations = append(c.out.Migrations, Migration{Name: s.Name, Text: s.Text})
	}
	if c.known {
		slices.SortStableFunc(c.out.Migrations, func(a, b Migration) int { return compareNumbers(a.Name, b.Name) })
		c.names()
		return nil
	}
	for _, r := range c.rows {
		for _, bound := range []string{r.schema.low, r.schema.high} {
			same := func(m Migration) bool { return compareNumbers(m.Name, bound) == 0 }
			if bound != "" && !isName(bound) {
				return &Problem{File: c.file, Line: r.line, Message: fmt.Sprintf("schema version %s: %s", short(bound), wrongName),
					Next: "name the folder of the migrations with --migrations"}
			}
			if bound != "" && !slices.ContainsFunc(c.out.Migrations, same) {
				c.out.Migrations = append(c.out.Migrations, Migration{Name: bound})
			}
		}
	}
	slices.SortStableFunc(c.out.Migrations, func(a, b Migration) int { return compareNumbers(a.Name, b.Name) })
	c.out.unknown("which migrations there are: only the numbers in the table are taken, and whether they exist was not checked (name their folder with --migrations)")
	return nil
}

const wrongName = "the name of a migration begins with its number, and has letters of a to z, digits, _ and - only"

func isName(name string) bool {
	return name != "" && name[0] >= '0' && name[0] <= '9' && strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

// names complains of schema versions that are the number of no migration.
func (c *tableImport) names() {
	for _, r := range c.rows {
		for _, bound := range []string{r.schema.low, r.schema.high} {
			if bound == "" || slices.ContainsFunc(c.out.Migrations, func(m Migration) bool { return compareNumbers(m.Name, bound) == 0 }) {
				continue
			}
			text := fmt.Sprintf("schema version %s of %s: no migration has that number", bound, r.name())
			if next := c.first(bound, false); next != nil {
				text += ", the next one, " + next.Name + ", is taken"
			}
			c.out.unknown("%s", text)
		}
	}
}

// first finds the first migration at a schema version, or after it.
func (c *tableImport) first(version string, after bool) *Migration {
	for i := range c.out.Migrations {
		if order := compareNumbers(c.out.Migrations[i].Name, version); order > 0 || order == 0 && !after {
			return &c.out.Migrations[i]
		}
	}
	return nil
}

// row puts in what one row says: what its releases need, and, on the border to
// the row before, what shuts that row's releases out.
func (c *tableImport) row(i int) {
	r := c.rows[i]
	c.out.Notes = append(c.out.Notes, strings.TrimSpace(fmt.Sprintf("%s: %s", r.name(), r.notes)))
	if r.releases.lowOpen {
		c.out.unknown("which release comes next after %s: %s is taken to begin with it", r.releases.low, r.name())
	}
	if i == 0 {
		c.begin(r)
		return
	}
	b := c.border(c.rows[i-1], r)
	needed, past := c.needed(r), c.past(c.rows[i-1], r)
	if past != nil {
		past.Floor = b.floor
		past.Notes = append(past.Notes, b.note)
	}
	if needed != nil && b.needs != "" {
		needed.Needs = b.needs
		needed.Notes = append(needed.Notes, capital(r.name())+" begins here.")
	}
	if needed != nil && past != nil && compareNumbers(needed.Name, past.Name) > 0 {
		needed.Floor = b.floor // also where what no row covers is done already
	}
	for _, id := range []string{b.floor, b.needs, r.releases.low, r.releases.high} {
		c.out.release(id)
	}
}

// begin puts in the first row, before which nothing is known.
func (c *tableImport) begin(r row) {
	c.out.release(r.releases.low)
	c.out.release(r.releases.high)
	if r.releases.low == "" {
		c.out.unknown("the oldest release: a fleet that is older than the first one listed is refused")
	}
	if needed := c.needed(r); needed != nil && r.releases.low != "" {
		needed.Needs = r.releases.low
	}
}

// needed is the migration that a row's releases cannot do without; nil: the row
// does not say.
func (c *tableImport) needed(r row) *Migration {
	if r.schema.low == "" {
		return nil
	}
	return c.first(r.schema.low, r.schema.lowOpen)
}

// past is the first migration that the releases of a row cannot live with; nil:
// neither that row nor the next one says.
func (c *tableImport) past(r, next row) *Migration {
	switch {
	case r.schema.high != "" && (c.known || r.schema.highOpen):
		return c.first(r.schema.high, !r.schema.highOpen)
	case r.schema.high != "":
		c.out.unknown("which migration comes next after %s: %s is taken", r.schema.high, next.schema.low)
	}
	return c.needed(next)
}

// capital makes a sentence of a name.
func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
