package importer

import (
	"fmt"
	"strings"
)

// row is one row of a table.
type row struct {
	line     int
	id       string
	schema   span
	releases span
	notes    string
}

// name gives the row as people call it.
func (r row) name() string {
	if r.id == "" {
		return fmt.Sprintf("the row in line %d", r.line)
	}
	return "row " + r.id
}

// columns are where in a row things stand; -1: nowhere.
type columns struct{ id, schema, releases, notes int }

// readTable finds the first table with a column of schemas and one of releases:
// lines with cells between | or, in the heading, between ^.
func readTable(file string, data []byte) ([]row, error) {
	var rows []row
	var at *columns
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"))
		// A diff or a quotation may stand around it.
		text = strings.TrimSpace(strings.TrimLeft(text, "+>"))
		cells, isRow := cut(text)
		switch {
		case !isRow && len(rows) > 0:
			return rows, nil
		case !isRow:
			at = nil
		case at == nil:
			at = heading(cells)
		case isRule(cells):
		default:
			r, err := readRow(file, line, cells, *at)
			if err != nil {
				return nil, err
			}
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil, &Problem{File: file, Message: "there is no table with a column for schema versions and one for releases",
			Next: "write it as | ID | Schema range | Release range | Notes | with a row for each range"}
	}
	return rows, nil
}

// cut takes a line apart into its cells.
func cut(text string) ([]string, bool) {
	if len(text) < 2 || text[0] != '|' && text[0] != '^' {
		return nil, false
	}
	text = strings.TrimRight(text[1:], " \t")
	text = strings.TrimSuffix(strings.TrimSuffix(text, "|"), "^")
	separator := "|"
	if !strings.Contains(text, "|") {
		separator = "^"
	}
	cells := strings.Split(text, separator)
	for i := range cells {
		cells[i] = plainText(cells[i])
	}
	return cells, true
}

// isRule tells the line below the heading in Markdown.
func isRule(cells []string) bool {
	return strings.Trim(strings.Join(cells, ""), ":- ") == "" && strings.Contains(strings.Join(cells, ""), "-")
}

// heading finds the columns by their names; nil: it is no such table.
func heading(cells []string) *columns {
	c := columns{-1, -1, -1, -1}
	for i, cell := range cells {
		word := strings.ToLower(cell)
		has := func(parts ...string) bool {
			for _, part := range parts {
				if strings.Contains(word, part) {
					return true
				}
			}
			return false
		}
		switch {
		case c.schema < 0 && has("schema", "migration", "database"):
			c.schema = i
		case c.releases < 0 && (has("release", "version", "change") || word == "cl" || strings.HasPrefix(word, "cl ")):
			c.releases = i
		case c.id < 0 && (word == "id" || word == "row" || word == "#"):
			c.id = i
		case c.notes < 0 && has("note", "comment", "remark"):
			c.notes = i
		}
	}
	if c.schema < 0 || c.releases < 0 {
		return nil
	}
	return &c
}

func readRow(file string, line int, cells []string, at columns) (row, error) {
	cell := func(i int) string {
		if i < 0 || i >= len(cells) {
			return ""
		}
		return cells[i]
	}
	r := row{line: line, id: cell(at.id), notes: cell(at.notes)}
	for _, column := range []struct {
		into *span
		text string
		what string
	}{{&r.schema, cell(at.schema), "schema versions"}, {&r.releases, cell(at.releases), "releases"}} {
		s, ok := parseSpan(column.text)
		if !ok {
			return r, &Problem{File: file, Line: line, Message: fmt.Sprintf("%q is no range of %s", short(column.text), column.what),
				Next: "write it like < 10, >= 10, 3 - 7 or 5"}
		}
		*column.into = s
	}
	return r, nil
}

// short keeps messages short.
func short(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "..."
	}
	return text
}
