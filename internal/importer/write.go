package importer

import (
	"fmt"
	"strconv"
	"strings"
)

// File is one file of a project. Name is below the project's folder, with
// slashes.
type File struct{ Name, Text string }

// folder is where the migrations of the one store go.
const folder = "migrations/main/"

// Files writes the catalogue as a project: the catalogue's own file under the
// given name, then the migrations.
func (c *Catalogue) Files(name string) []File {
	files := []File{{Name: name, Text: c.yaml(nil)}}
	for _, m := range c.Migrations {
		files = append(files, File{Name: folder + m.Name + ".sql", Text: m.sql()})
	}
	return files
}

// Text writes the catalogue as one text to look at: the catalogue's file, with
// the first lines of every migration in comments.
func (c *Catalogue) Text() string {
	var heads []string
	for _, m := range c.Migrations {
		heads = append(heads, "", folder+m.Name+".sql begins with")
		for line := range strings.Lines(m.head()) {
			heads = append(heads, "    "+strings.TrimRight(line, "\n"))
		}
	}
	return c.yaml(heads)
}

// yaml writes the catalogue's file.
func (c *Catalogue) yaml(heads []string) string {
	var b strings.Builder
	comment := func(text string) { b.WriteString(strings.TrimRight("# "+oneLine(text), " ") + "\n") }
	comment("Imported from " + c.From + ". A catalogue to start from: read what is not known, below.")
	for _, note := range c.Notes {
		comment("  " + note)
	}
	fmt.Fprintf(&b, "application: app\nstores:\n  main: {url: \"${DATABASE_URL}\", migrations: migrations/main}\n")
	fmt.Fprintf(&b, "components:\n  %s: {main: rw}\n", c.Component)
	b.WriteString("releases:\n")
	for _, r := range c.Releases {
		switch {
		case r.Withdrawn:
			fmt.Fprintf(&b, "  - {id: %s, withdrawn: true}  # %s\n", strconv.Quote(r.ID), r.Note)
		default:
			fmt.Fprintf(&b, "  - %s\n", strconv.Quote(r.ID))
		}
	}
	if len(c.Unknown) > 0 {
		b.WriteString("#\n")
		comment("Not known:")
		for _, text := range c.Unknown {
			comment("- " + text)
		}
	}
	for _, head := range heads {
		b.WriteString(strings.TrimRight("# "+head, " ") + "\n")
	}
	return b.String()
}

// head writes what stands above the statements of a migration.
func (m Migration) head() string {
	var b strings.Builder
	for _, note := range m.Notes {
		b.WriteString("-- " + oneLine(note) + "\n")
	}
	b.WriteString("-- stopover: expand")
	if m.Needs != "" {
		b.WriteString(" needs=" + m.Needs)
	}
	if m.Floor != "" {
		b.WriteString(" writers=" + m.Floor + " readers=" + m.Floor)
	}
	b.WriteString("\n")
	return b.String()
}

// sql writes the migration's file. What stands in for statements that are not
// known parses, and fails when it is run.
func (m Migration) sql() string {
	if m.Text == "" {
		return m.head() + "-- The statements are not known. This one fails wherever it is run: put the right ones in its place.\nSELECT the_statements_of_this_migration_are_missing;\n"
	}
	return m.head() + strings.TrimRight(m.Text, "\n") + "\n"
}

// oneLine takes line ends and other control characters out of a text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }), " ")
}
