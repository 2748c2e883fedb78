package files

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stopover-dev/stopover/plan"
)

// section parses a file of one expand and gives it.
func section(t *testing.T, text string) *Section {
	t.Helper()
	m := Migration{File: "f.sql"}
	if problems := parseSQL(&m, text); len(problems) > 0 {
		t.Fatalf("%q: %v", text, &Problems{List: problems})
	}
	return m.Section(plan.Expand, false)
}

func TestSumIgnoresLayout(t *testing.T) {
	sum := section(t, "-- stopover: expand\nSELECT 1;\n\nSELECT 2;\n").Sum
	for _, same := range []string{
		"\ufeff-- stopover: expand\nSELECT 1;\n\nSELECT 2;\n",
		"-- stopover: expand\r\nSELECT 1;\r\n\r\nSELECT 2;\r\n",
		"-- stopover: expand\nSELECT 1;  \n\t\nSELECT 2;\t",
		"-- stopover: expand each needs=1.5\n\n\nSELECT 1;\n\nSELECT 2;\n\n\n",
		"-- why\n-- stopover: expand\n-- more\nSELECT 1;\n\nSELECT 2;\n-- about the next\n-- stopover: undo-expand\nSELECT 3;\n",
	} {
		if got := section(t, same).Sum; got != sum {
			t.Errorf("%q has another sum", same)
		}
	}
	for _, other := range []string{
		"-- stopover: expand\nSELECT 1;\nSELECT 2;\n",
		"-- stopover: expand\n SELECT 1;\n\nSELECT 2;\n",
		"-- stopover: expand\nSELECT 1;\n-- x\nSELECT 2;\n",
		"-- stopover: expand\nSELECT 1;\n\nSELECT 3;\n",
	} {
		if section(t, other).Sum == sum {
			t.Errorf("%q has the same sum", other)
		}
	}
	if len(sum) != 32 {
		t.Errorf("sum %q", sum)
	}
}

func TestCommentsThatAreNoDirectives(t *testing.T) {
	for _, row := range []string{
		"-- stopover reads this file", "-- the stopover is at 1.5", "-- see stopover.yaml", "-- over: done", "-- stopped: yes", "/* stopovers are fine */",
		"-- Stopover", "-- stop here", "SELECT 'stopover: expand';",
	} {
		section(t, "-- stopover: expand\nSELECT 1;\n"+row+"\n")
	}
}

func TestLookalikesInsideStrings(t *testing.T) {
	for _, body := range []string{
		"DO $$\n  -- stopover: expand\n$$;", "DO $b$ 'x $$\n  -- stopver: verify\n $$ ' $b$;",
		"SELECT 'a''b\n -- stopover: verify\n';", "SELECT \"a\n --stopover verify\n\";", "/* a /* b */\n -- Stopover: x\n */ SELECT 1;",
		"SELECT $1, 'it''s'; -- it's\nSELECT '\n  -- stopover: verify';",
	} {
		section(t, "-- stopover: expand\n"+body+"\n")
	}
	for _, body := range []string{"SELECT 'a';\n -- stopover: verify", "SELECT $1;\n -- stopover: verify", "DO $$ x $$;\n -- stopover: verify", "SELECT 1; -- it's\n -- stopover: verify", "/* x */\n -- stopover: verify", "SELECT a$$b;$$ $$\n -- stopover: verify"} {
		m := Migration{File: "f.sql"}
		if problems := parseSQL(&m, "-- stopover: expand\n"+body+"\nSELECT 2;\n"); len(problems) == 0 {
			t.Errorf("%q was read over", body)
		}
	}
}

func TestDirectiveValues(t *testing.T) {
	s := section(t, `-- stopover:  expand	needs>=1.5 when="a \"b\" \\ c" requires="x:1_a , y:2_b" offline lock_timeout=1500ms`+"\r\nSELECT 1;\r\n")
	if s.Needs != "1.5" || s.When != `a "b" \ c` || strings.Join(s.Requires, "|") != "x:1_a|y:2_b" || !s.Offline || s.LockTimeout != 1500*time.Millisecond {
		t.Errorf("%+v", s)
	}
	if s.Text != "SELECT 1;\r\n" || s.Line != 2 || s.Directive != 1 {
		t.Errorf("text %q from line %d", s.Text, s.Line)
	}
}

func TestNamesSortByNumberThenText(t *testing.T) {
	line := strings.Fields("0001_a 2_b 0002_c 0010_a 0010_b 100_a 1672749980_x 18446744073709551616000_z")
	for i := 1; i < len(line); i++ {
		// Two spellings of one number fall back to text: "0002_c" before "2_b".
		want := -1
		if line[i-1] == "2_b" {
			want = 1
		}
		if got := CompareNames(line[i-1], line[i]); got != want {
			t.Errorf("CompareNames(%s, %s) = %d", line[i-1], line[i], got)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"24h": 24 * time.Hour, "7d": 168 * time.Hour, "1w": 168 * time.Hour, "1w2d3h4m": 219*time.Hour + 4*time.Minute,
		"1d12h": 36 * time.Hour, "500ms": 500 * time.Millisecond, "0": 0, " 90m ": 90 * time.Minute,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "24", "d", "-1h", "1.5d", "7days", "999999999w", "2147483647d9999999h", "15250w100h", "1d-1h", "h"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestYAMLSumIgnoresLayoutAndDirectives(t *testing.T) {
	sum := func(text string) string {
		if a, err := parseAssumption("a.yaml", []byte(text)); (a == nil) == (err == nil) {
			t.Fatalf("%v, %v", a, err)
		}
		m := Migration{File: "f.yaml"}
		if problems := parseYAML(&m, []byte(text)); len(problems) > 0 {
			t.Fatalf("%q: %v", text, &Problems{List: problems})
		}
		return m.Sections[0].Sum
	}
	want := sum("backfill:\n  copy: [{from: a, to: b}]\n  keep: [c]\n")
	for _, same := range []string{
		"backfill: {copy: [{from: a, to: b}], keep: [c]}\n", "# x\nbackfill:\n  needs: 1.10\n  copy:\n    - from: 'a' # y\n      to: \"b\"\n  keep:\n    - c\n", "\ufeffbackfill:\r\n  copy: [{from: a, to: b}]\r\n  keep: [c]\r\n",
	} {
		if sum(same) != want {
			t.Errorf("%q has another sum", same)
		}
	}
	for _, other := range []string{"backfill:\n  copy: [{from: a, to: c}]\n  keep: [c]\n", "backfill:\n  copy: [{from: a, to: b}]\n", "backfill:\n  copy: [{from: a}, {to: b}]\n  keep: [c]\n"} {
		if sum(other) == want {
			t.Errorf("%q has the same sum", other)
		}
	}
}

// FuzzSQL looks for panics, lost text and sections that are not what they say.
func FuzzSQL(f *testing.F) {
	f.Add(currencySQL)
	f.Add("-- stopover: expand\r\nSELECT '\n-- stopver: x\n';")
	f.Add("-- stopover: migration after=a\n/* /* */ -- stopover: verify x=\"\\\"\"\n$$")
	f.Fuzz(func(t *testing.T, text string) {
		m := Migration{File: "f.sql"}
		problems := parseSQL(&m, text)
		if len(problems) == 0 && len(m.Sections) == 0 {
			t.Fatal("neither sections nor problems")
		}
		for i := range problems {
			if problems[i].Line < 1 || problems[i].Message == "" {
				t.Fatalf("no place or words: %+v", problems[i])
			}
		}
		lines := strings.Count(text, "\n") + 2
		for _, s := range m.Sections {
			if !strings.Contains(text, s.Text) || s.Line != s.Directive+1 || s.Line > lines || s.Sum == "" {
				t.Fatalf("section %+v", s)
			}
		}
	})
}

// FuzzConfig looks for panics in stopover.yaml and in migrations as YAML.
func FuzzConfig(f *testing.F) {
	f.Add(shopYAML)
	f.Add(hashtagYAML)
	f.Add("stores: &a {main: *a}\nreleases: [&b 1.4, *b, !!str 1.5, ? x]\n<<: *a")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Load(fstest.MapFS{ConfigName: {Data: []byte(text)}, "migrations/main/0001_a.sql": {Data: []byte("-- stopover: expand\nSELECT 1;\n")}}, ConfigName)
		if err == nil && len(text) == 0 {
			t.Fatal("nothing was taken for a project")
		}
		if a, err := parseAssumption("a.yaml", []byte(text)); (a == nil) == (err == nil) {
			t.Fatalf("%v, %v", a, err)
		}
		m := Migration{File: "f.yaml"}
		if problems := parseYAML(&m, []byte(text)); len(problems) == 0 && len(m.Sections) == 0 {
			t.Fatal("neither sections nor problems")
		}
	})
}
