package importer

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// brief writes a catalogue in short: releases, then migrations that say
// something.
func brief(c *Catalogue) string {
	var b strings.Builder
	for _, r := range c.Releases {
		b.WriteString(r.ID + " ")
	}
	for _, m := range c.Migrations {
		if m.Needs != "" || m.Floor != "" {
			b.WriteString("| " + m.Name + " needs " + m.Needs + " floor " + m.Floor + " ")
		}
	}
	return strings.TrimSpace(b.String())
}

func sourcesOf(names ...string) []Source {
	var list []Source
	for _, name := range names {
		list = append(list, Source{Name: name, Text: "SELECT 1;\n"})
	}
	return list
}

func TestTable(t *testing.T) {
	const head = "| ID | Schema | Release | Notes |\n|----|:---|---|---|\n"
	four := sourcesOf("0001_a", "0002_b", "0003_c", "0010_d")
	tests := []struct {
		name, table string
		sources     []Source
		want        string
		unknown     []string // parts of sentences
	}{
		{name: "numbers, a gap of schemas", table: "^ ID ^ Schema range ^ CL range ^ Notes ^\n| 0 | < 2 | >= 0 | |\n| 1 | >= 5 | >= 100 | |\n", sources: four,
			want: "0 99 100 | 0002_b needs  floor 99 | 0010_d needs 100 floor 99",
			unknown: []string{"schema version 5 of row 1: no migration has that number, the next one, 0010_d, is taken",
				"who can live with 0002_b, 0003_c: no row covers them", "where row 0 ends", "which releases of row 0 can live with the schema of row 1: only the newest, 99",
				"which release is the first to need 0001_a"}},
		{name: "rows that follow each other", table: head + "| 0 | `<= 2` | 1 - 9 | |\n| 1 | &gt; 2 | 10+ | |\n", sources: four,
			want: "1 9 10 | 0003_c needs 10 floor 9"},
		{name: "rows in another order", table: head + "| 1 | > 2 | >= 10 | |\n| 0 | <= 2 | 1 - 9 | |\n", sources: four,
			want: "1 9 10 | 0003_c needs 10 floor 9"},
		{name: "releases in both rows", table: head + "| 0 | <= 2 | 1 - 12 | |\n| 1 | > 2 | >= 10 | |\n", sources: four,
			want: "1 10 12 13 | 0003_c needs 13 floor 10"},
		{name: "schemas in both rows", table: head + "| 0 | 1 - 3 | 1 - 9 | |\n| 1 | >= 2 | >= 10 | |\n", sources: four,
			want: "1 9 10 | 0001_a needs 1 floor  | 0002_b needs 10 floor  | 0010_d needs  floor 10"},
		{name: "versions, nothing between", table: head + "| 0 | < 3 | >= 1.0 | |\n| 1 | >= 3 | >= 1.5 | |\n", sources: four,
			want: "1.0 1.5 | 0003_c needs 1.5 floor 1.5", unknown: []string{"the newest release before 1.5"}},
		{name: "versions, an end is given", table: head + "| 0 | < 3 | 1.0 - 1.4 | |\n| 1 | >= 3 | >= 1.5 | |\n", sources: four,
			want: "1.0 1.4 1.5 | 0003_c needs 1.5 floor 1.4"},
		{name: "versions in both rows", table: head + "| 0 | < 3 | 1.0 - 1.6 | |\n| 1 | >= 3 | 1.5 - 1.7 | |\n", sources: four,
			want: "1.0 1.5 1.6 1.7 | 0003_c needs 1.7 floor 1.5"},
		{name: "a gap of releases", table: head + "| 0 | < 3 | 1 - 5 | |\n| 1 | >= 3 | >= 10 | |\n", sources: four,
			want: "1 5 10 | 0003_c needs 10 floor 5", unknown: []string{"the releases between 5 and 10"}},
		{name: "three rows", table: head + "| 0 | < 2 | < 5 | |\n| 1 | 2 - 3 | 5 - 9 | |\n| 2 | > 3 | > 9 | |\n", sources: four,
			want: "4 5 9 10 | 0002_b needs 5 floor 4 | 0010_d needs 10 floor 9", unknown: []string{"the oldest release"}},
		{name: "a single row", table: head + "| 0 | >= 2 | >= 5 | |\n", sources: four, want: "5 | 0002_b needs 5 floor"},
		{name: "no migrations given", table: head + "| 0 | < 20 | >= 0 | |\n| 1 | >= 30 | >= 100 | |\n",
			want: "0 99 100 | 20 needs  floor 99 | 30 needs 100 floor 99", unknown: []string{"which migrations there are"}},
		{name: "a diff around it", table: "+^ ID ^ Schema range ^ CL range ^\n+| 0 | < 3 | >= 0 |\n+| 1 | >= 3 | >= 9 |\n+\n+| 7 | x | y |\n", sources: four,
			want: "0 8 9 | 0003_c needs 9 floor 8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := Table("compat.md", []byte(test.table), test.sources)
			if err != nil {
				t.Fatal(err)
			}
			if got := brief(c); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			for _, part := range test.unknown {
				if !slices.ContainsFunc(c.Unknown, func(text string) bool { return strings.Contains(text, part) }) {
					t.Errorf("%q is not said to be unknown, but\n%s", part, strings.Join(c.Unknown, "\n"))
				}
			}
		})
	}
}

func TestTableRefuses(t *testing.T) {
	const head = "| ID | Schema | Release |\n|---|---|---|\n"
	tests := []struct{ table, want string }{
		{"", "compat.md: there is no table with a column for schema versions and one for releases"},
		{"| a | b |\n|---|---|\n| 1 | 2 |\n", "compat.md: there is no table"},
		{head + "| 0 | < 3 | newer |\n", `compat.md:3: "newer" is no range of releases; write it like < 10, >= 10, 3 - 7 or 5`},
		{head + "| 0 | all but 3 | 1 |\n", `compat.md:3: "all but 3" is no range of schema versions`},
		{head + "| 0 | < 3 | >= 1 |\n| 1 | >= 3 | >= 1 |\n", "compat.md:4: row 0 and row 1 begin with the same release"},
		{head + "| 0 | < 3 | 9 - 1 |\n", "compat.md:3: row 0: its range of releases ends before it begins"},
		{head + "| 0 | 9 - 3 | 1 |\n", "compat.md:3: row 0: its range of schema versions ends before it begins"},
		{head + "| 0 | < 1.5 | 1 |\n", "compat.md:3: schema version 1.5: the name of a migration begins with its number"},
		{head + "| 0 | < 3 | 1565 |\n| 1 | >= 3 | 2026-05-01 |\n", "compat.md:4: releases 1565 and 2026-05-01 are of different kinds"},
	}
	for _, test := range tests {
		_, err := Table("compat.md", []byte(test.table), nil)
		var problem *Problem
		if !errors.As(err, &problem) || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", test.table, err, test.want)
		}
	}
}

func TestTableRefusesMigrationsWithoutANumber(t *testing.T) {
	_, err := Table("compat.md", []byte("| Schema | Release |\n|---|---|\n| < 3 | 1 |\n"), sourcesOf("0001_a", "schema"))
	if err == nil || !strings.HasPrefix(err.Error(), "schema.sql: the name of a migration begins with its number") {
		t.Errorf("got %v", err)
	}
}
