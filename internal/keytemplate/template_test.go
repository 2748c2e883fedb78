package keytemplate

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "empty",
		"a<b":                  `no ">"`,
		"a:<>":                 "has a name",
		"a:<b c>":              "has a name",
		"a<b><c>":              "nothing stands between",
		"<rest...>:a":          "not at the end",
		"a:<rest...:x>":        "no pattern",
		"a:<b:[>":              `no ">"`,
		"a:<b:a)|(b>":          "unexpected )",
		"a:<b>:<b:x>":          "twice",
		"a\\":                  "backslash",
		"a:<b>:<b...>":         "twice",
		"tenant:<id:(?P<x>a>y": "missing closing )",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestReadings(t *testing.T) {
	for _, c := range []struct {
		template, key string
		want          []string // value of the part "a" in each reading
	}{
		{"t:<a>", "t:x", []string{"x"}},
		{"t:<a>", "t:", nil},
		{"t:<a>", "u:x", nil},
		{"t:<a>", "t:x:y", []string{"x:y"}},
		{"t:<a:[^:]+>", "t:x:y", nil},
		{"t:<a:[^:]+>:<r...>", "t:x:y:z", []string{"x"}},
		{"t:<a>:<r...>", "t:x:y:z", []string{"x", "x:y"}},
		{"t:<a>::<r...>", "t:x:::z", []string{"x", "x:"}},
		{"<a:[0-9]{2,3}>-x", "12-x", []string{"12"}},
		{"<a:[0-9]{2,3}>-x", "1-x", nil},
		{"<a>:<a>", "x:x", []string{"x"}},
		{"<a>:<a>", "x:y", nil},
		{`\<<a:[^<>]+>>`, "<x>", []string{"x"}},
		{"t:<a:[^:]+>", "t:\xff\x00\n", []string{"\xff\x00\n"}},
		{"t:<a:(?P<year>[0-9]{4})>", "t:2025", []string{"2025"}},
	} {
		template, err := Parse(c.template)
		if err != nil {
			t.Fatalf("%s: %v", c.template, err)
		}
		var got []string
		for _, values := range template.Readings(c.key, 10) {
			got = append(got, values["a"])
		}
		if !slices.Equal(got, c.want) || template.Matches(c.key) != (len(c.want) > 0) {
			t.Errorf("%s on %q: %q, want %q", c.template, c.key, got, c.want)
		}
	}
}

// patterns that the properties are tried with; "" is a part without one.
var patterns = []string{"", "[^:]+", "[^{}]+", "[ab]+", "a|b:b", "[^:{}]{1,2}"}

// drawTemplate draws a template of texts, parts and perhaps a rest.
func drawTemplate(t *rapid.T) Template {
	var b strings.Builder
	n := rapid.IntRange(1, 3).Draw(t, "parts")
	for i := range n {
		b.WriteString(rapid.SampledFrom([]string{"a", ":", "{", "}:", "::", "b:"}).Draw(t, "text"))
		name := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "name")
		pattern := rapid.SampledFrom(patterns).Draw(t, "pattern")
		switch {
		case i == n-1 && rapid.Bool().Draw(t, "rest"):
			b.WriteString("<r...>")
		case pattern == "" || strings.Contains(b.String(), "<"+name):
			b.WriteString("<" + name + ">")
		default:
			b.WriteString("<" + name + ":" + pattern + ">")
		}
	}
	b.WriteString(rapid.SampledFrom([]string{"", "", "}", ":a"}).Draw(t, "end"))
	template, err := Parse(b.String())
	if err != nil {
		t.Skip(err)
	}
	return template
}

var keys = rapid.StringMatching(`[ab:{}]{0,9}`)

// TestReadingsAreAllThereAre compares with trying all texts for all parts.
func TestReadingsAreAllThereAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		template, key := drawTemplate(t), keys.Draw(t, "key")
		var got []string
		for _, values := range template.Readings(key, 1000) {
			if again, ok := template.Expand(values); !ok || again != key {
				t.Fatalf("%s: the reading %v of %q expands to %q", template, values, key, again)
			}
			got = append(got, shown(template, values))
		}
		want := tried(template, template.Names(), key, Values{})
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s on %q: %q, want %q", template, key, got, want)
		}
	})
}

// tried gives the readings of a key in the slowest way.
func tried(template Template, names []string, key string, values Values) []string {
	if len(names) == 0 {
		if again, ok := template.Expand(values); ok && again == key {
			return []string{shown(template, values)}
		}
		return nil
	}
	var all []string
	for from := range len(key) {
		for to := from + 1; to <= len(key); to++ {
			if slices.Contains(seen(key, from), key[from:to]) {
				continue
			}
			values[names[0]] = key[from:to]
			all = append(all, tried(template, names[1:], key, values)...)
		}
	}
	return all
}

// seen gives the texts that begin before from.
func seen(key string, from int) []string {
	var all []string
	for i := range from {
		for k := i + 1; k <= len(key); k++ {
			all = append(all, key[i:k])
		}
	}
	return all
}

func shown(template Template, values Values) string {
	var b strings.Builder
	for _, name := range template.Names() {
		b.WriteString(name + "=" + values[name] + " ")
	}
	return b.String()
}

// TestClassesAreWhatTheirExpressionsAre compares the quick way with the machine.
func TestClassesAreWhatTheirExpressionsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"[^:]+", "[a-z]+", "[^a-z]+", "[^é]+", "[é]+", `[\w]+`, `\d+`, ".+", "[^\\n]+"}).Draw(t, "pattern")
		p, err := newPattern(text)
		if err != nil {
			t.Fatal(err)
		}
		value := string(rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("a:z9\n\xc3\xa9"))), 0, 5).Draw(t, "value"))
		if got, want := p.takes(value), p.all.MatchString(value); got != want {
			t.Fatalf("%s on %q: %v, want %v", text, value, got, want)
		}
	})
}
