package files

import (
	"strings"
	"testing"
)

func TestPredicatesInYAML(t *testing.T) {
	m := Migration{File: "0007_tags.yaml"}
	problems := parseYAML(&m, []byte(`
when: {keys: ["a:<id>", "b:<id>"], else: "no a"}
backfill:
  when:
    keys: "c:<id>"
  copy: x
verify: full
undo-backfill: back
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for i, want := range []struct {
		text string
		line int
	}{{`{"keys":"c:<id>"}`, 5}, {`{"else":"no a","keys":["a:<id>","b:<id>"]}`, 2}, {"", 0}} {
		if s := m.Sections[i]; s.When != want.text || s.WhenLine != want.line {
			t.Errorf("%s: %q in line %d, want %q in %d", s.Name(), s.When, s.WhenLine, want.text, want.line)
		}
	}
	plain := Migration{File: "0007_tags.yaml"}
	parseYAML(&plain, []byte("backfill:\n  copy: x\nverify: full\n"))
	if m.Sections[0].Sum != plain.Sections[0].Sum || m.Sections[1].Sum != plain.Sections[1].Sum {
		t.Error("a predicate changes the checksum of what is done")
	}
}

func TestPredicatesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"when: [a]\nbackfill: x\n":                           "when wants a text",
		"when: {keys: {a: b}}\nbackfill: x\n":                "when.keys wants a text",
		"backfill:\n  when: \"\"\n  copy: x\n":               "when is empty",
		"backfill: x\nundo-backfill: {when: {a: b}, c: d}\n": "when has no place in a directive undo-backfill",
	} {
		m := Migration{File: "f.yaml"}
		var said []string
		for _, p := range parseYAML(&m, []byte(text)) {
			said = append(said, p.Message)
		}
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("%q: %q, want %q", text, said, want)
		}
	}
}
