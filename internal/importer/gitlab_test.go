package importer

import (
	"strings"
	"testing"
)

func TestGitLab(t *testing.T) {
	c, err := GitLab("upgrade_path.yml", []byte(`---
- major: 13
  minor: 12

- major: 14
  minor: 0
  comments: "**Migrations can take a long time!**"
- major: 14
  minor: 3
- {major: 14, minor: 4, comments: "[Conditional stop](https://example.org/14). Not for all."}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := "13.12 13.13 14.0 14.1 14.3 14.4 14.5 | 1312_stop_13_12 needs 13.13 floor 13.12 | 1400_stop_14_0 needs 14.1 floor 14.0 | " +
		"1403_stop_14_3 needs 14.4 floor 14.3 | 1404_stop_14_4 needs 14.5 floor 14.4"
	if got := brief(c); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for i, withdrawn := range []bool{false, true, false, false, false, false, false} {
		if c.Releases[i].Withdrawn != withdrawn {
			t.Errorf("%s: withdrawn %t", c.Releases[i].ID, c.Releases[i].Withdrawn)
		}
	}
	text := strings.Join(c.Unknown, "\n")
	for _, part := range []string{"whether 13.13 was ever released", "whether 14.5 is released yet", "whether the stop at 14.4 concerns this installation: it is conditional", "whether the comment on 14.0 is a condition: **Migrations"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said:\n%s", part, text)
		}
	}
}

func TestGitLabRefuses(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "u.yml: the file is empty"},
		{"a: [", "u.yml:1: not understood as YAML"},
		{"major: 14\nminor: 0\n", "u.yml:1: this is no list of stops"},
		{"- major: 14\n  minor: many\n", `u.yml:2: minor: "many" is no number of a release`},
		{"- major: 14\n", "u.yml:1: an entry without major and minor"},
		{"- major: 14\n  minor: 1\n  patch: 2\n", `u.yml:3: unknown key "patch" (known: major, minor, comments)`},
		{"- major: 14\n  minor: 1\n- major: 14\n  minor: 0\n", "u.yml:3: the stop 14.0 does not come after 14.1"},
		{"- 14.0\n", "u.yml:1: an entry without major and minor"},
	}
	for _, test := range tests {
		if _, err := GitLab("u.yml", []byte(test.text)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
}

// FuzzImport reads anything as a table and as a list of stops; what comes out is
// written without line ends in the wrong places.
func FuzzImport(f *testing.F) {
	f.Add("^ ID ^ Schema range ^ CL range ^ Notes ^\n| 0 | < 2 | >= 0 | a |\n| 1 | >= 5 | >= 100 | b |\n", "0002_b")
	f.Add("| Schema | Release |\n|---|---|\n| 1..4 | 1.0 - 1.4 |\n| > 4 | 1.5+ |\n", "5")
	f.Add("- major: 14\n  minor: 0\n  comments: \"a\\nb\"\n", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		for _, read := range []func() (*Catalogue, error){
			func() (*Catalogue, error) { return Table("f", []byte(text), nil) },
			func() (*Catalogue, error) { return Table("f", []byte(text), []Source{{Name: name}}) },
			func() (*Catalogue, error) { return GitLab("f", []byte(text)) },
		} {
			c, err := read()
			if err != nil {
				continue
			}
			for _, m := range c.Migrations {
				if !isName(m.Name) || strings.Count(m.head(), "\n") != 1+len(m.Notes) {
					t.Fatalf("%q leads to the migration %q, %q", text, m.Name, m.head())
				}
			}
			for line := range strings.Lines(c.Text()) {
				if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, " ") && !strings.Contains(line, ":") {
					t.Fatalf("%q leads to the line %q", text, line)
				}
			}
		}
	})
}
