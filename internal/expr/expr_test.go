package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExpressions(t *testing.T) {
	record := map[string]any{"t": "2025-03-01T10:11:12.123456789Z", "east": "2025-03-01T10:11:12.123456789+02:00",
		"nines": "2025-03-01T10:11:12.9999Z", "old": "1969-12-31T23:59:59.9995Z", "ms": "1740823872123", "empty": "",
		"bad": "yesterday", "a-b": "x", "f": "1.5"}
	for text, want := range map[string]string{
		"unixms(t)":                        "1740823872123",
		"unixms(east)":                     "1740816672123",
		"unixms(nines)":                    "1740823872999",
		"unixms(old)":                      "-1",
		"unixms(ms)":                       "1740823872123",
		"unixms(empty)":                    "<nil>",
		"unixms(missing)":                  "<nil>",
		"unixs(t)":                         "1740823872",
		"rfc3339ms(ms)":                    "2025-03-01T10:11:12.123Z",
		"rfc3339ms(t)":                     "2025-03-01T10:11:12.123456789Z",
		"rfc3339ms(unixms(t))":             "2025-03-01T10:11:12.123Z",
		"number(ms) + 1":                   "1740823872124",
		"number(f) * 2":                    "3",
		`$env["a-b"] + "y"`:                "xy",
		`blank(missing) ? "new" : missing`: "new",
		`blank(empty)`:                     "true",
		`blank(t)`:                         "false",
		`missing ?? "x"`:                   "x",
		`[1, "a"]`:                         `[1,"a"]`,
		`unixms(bad)`:                      `error "yesterday" is neither`,
		`rfc3339ms(bad)`:                   `error "yesterday" is neither`,
		`number(bad)`:                      `error "yesterday" is no number`,
		`unixms([1])`:                      "error [1] is a []interface {}, not a text",
		`t.x.y`:                            "error ",
	} {
		p, err := Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		value, err := p.Run(record)
		if _, is := errors.AsType[*UnconvertibleError](err); is {
			if !strings.HasPrefix("error "+err.Error(), want) {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
			continue
		}
		got := fmt.Sprint(value)
		if value != nil {
			got, err = Text(value)
		}
		if err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", text, got, err, want)
		}
	}
}

func TestWrongExpressionsAreRefusedWithoutARecord(t *testing.T) {
	for text, want := range map[string]string{
		"unixsm(t)":    "no function unixsm (besides those of the language there are unixms",
		"1 +":          "unexpected",
		"now()":        "now",
		"$env":         "followed by the name of a field",
		"keys($env)":   "followed by the name of a field",
		"unixms()":     "not enough arguments",
		"a.b()":        "only functions",
		`date("2020")`: "date",
	} {
		_, err := Compile(text)
		if _, is := errors.AsType[*SyntaxError](err); !is || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func change(t interface{ Fatal(...any) }, f Fields) *Change {
	c, err := NewChange(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		fields Fields
		record map[string]any
		want   string
	}{
		{Fields{Set: map[string]string{"at": "unixms(at)"}}, map[string]any{"at": "1970-01-01T00:00:01Z"}, "at=1000"},
		{Fields{Set: map[string]string{"at": "unixms(at)"}}, map[string]any{"at": "1000"}, ""},
		{Fields{Set: map[string]string{"at": "unixms(at)"}}, map[string]any{}, ""},
		{Fields{Set: map[string]string{"at": "unixms(at)"}}, map[string]any{"at": "x"}, `field at: "x" is neither`},
		{Fields{Set: map[string]string{"a": "b", "b": "a"}}, map[string]any{"a": "1", "b": "2"}, "a=2 b=1"},
		{Fields{Set: map[string]string{"e": `"t"`}, Where: "blank(e)"}, map[string]any{"e": "x"}, ""},
		{Fields{Set: map[string]string{"e": `"t"`}, Where: "blank(e)"}, map[string]any{"e": ""}, "e=t"},
		{Fields{Set: map[string]string{"e": `"t"`}, Where: "e"}, map[string]any{"e": "x"}, "neither true nor false"},
		{Fields{Rename: map[string]string{"a": "b"}}, map[string]any{"a": "1"}, "b=1 -a"},
		{Fields{Rename: map[string]string{"a": "b"}}, map[string]any{"b": "1"}, ""},
		{Fields{Rename: map[string]string{"a": "b"}}, map[string]any{"a": "1", "b": "1"}, "-a"},
		{Fields{Rename: map[string]string{"a": "b"}}, map[string]any{"a": "1", "b": "2"}, "another value as b"},
		{Fields{Remove: []string{"b", "a"}}, map[string]any{"a": "1"}, "-a"},
	} {
		edit, err := change(t, c.fields).Of(c.record)
		got := shown(edit)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%+v on %v: %s, want %s", c.fields, c.record, got, c.want)
		}
	}
}

func shown(edit Edit) string {
	var all []string
	for _, v := range edit.Set {
		text, err := Text(v.Value)
		all = append(all, v.Field+"="+text)
		if err != nil {
			all = append(all, err.Error())
		}
	}
	for _, field := range edit.Remove {
		all = append(all, "-"+field)
	}
	return strings.Join(all, " ")
}

func TestChangesThatContradictThemselvesAreRefused(t *testing.T) {
	for _, f := range []Fields{
		{},
		{Where: "true"},
		{Set: map[string]string{"a": "1"}, Remove: []string{"a"}},
		{Rename: map[string]string{"a": "b", "b": "c"}},
		{Rename: map[string]string{"a": "c", "b": "c"}},
		{Rename: map[string]string{"a": "a"}},
		{Set: map[string]string{"a": "1 +"}},
		{Set: map[string]string{"a": "1"}, Where: "nofunction()"},
	} {
		if c, err := NewChange(f); err == nil {
			t.Errorf("%+v is accepted: %s", f, c)
		}
	}
}

func TestChangeSaysWhatItReadsAndDoes(t *testing.T) {
	c := change(t, Fields{Set: map[string]string{"at": "unixms(made)"}, Rename: map[string]string{"x": "y"}, Remove: []string{"z"}, Where: `$env["a-b"] != "1"`})
	if got := c.Reads(); !slices.Equal(got, []string{"a-b", "at", "made", "x", "y", "z"}) {
		t.Errorf("%q", got)
	}
	if got := c.String(); got != "set at = unixms(made)\nrename x to y\nremove z\nwhere $env[\"a-b\"] != \"1\"\n" {
		t.Errorf("%s", got)
	}
}

func TestJSON(t *testing.T) {
	c := change(t, Fields{Set: map[string]string{"at": "unixms(at)", "n": "number(n)"}, Rename: map[string]string{"old": "new"}, Remove: []string{"gone"}})
	for text, want := range map[string]string{
		`{"id":12345678901234567890,"at":"1970-01-01T00:00:01Z","z":{"b":1, "a":2}}`: `{"id":12345678901234567890,"at":1000,"z":{"b":1, "a":2}}`,
		` {"at":1000}`:                 ` {"at":1000}`,
		`{"n":"5"}`:                    `{"n":5}`,
		`{"n":5}`:                      `{"n":5}`,
		`{"old":[1,2],"<k>":"&"}`:      `{"<k>":"&","new":[1,2]}`,
		`{"old":12345678901234567890}`: `{"new":12345678901234567890}`,
		`{"gone":1,"a":1}`:             `{"a":1}`,
		`{}`:                           `{}`,
		`[1]`:                          "error the text is no JSON object",
		``:                             "error the text is no JSON object",
		`{"a":1,"a":2}`:                "error field a: it is in the object twice",
		`{"a":1} x`:                    "error the text is no JSON object alone",
		`{"a":1}]`:                     "error the text is no JSON object alone",
		`{"a":`:                        "error field a: ",
		`{"old":1,"new":2}`:            "error field old: the record has another value as new",
		`{"at":null}`:                  `{"at":null}`,
	} {
		got, err := c.JSON(text)
		if err != nil {
			got = "error " + err.Error()
		}
		if got != want && !(strings.HasPrefix(want, "error") && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestAChangeMadeTwiceIsTheChangeMadeOnce holds for expressions that leave what
// they made as it is.
func TestAChangeMadeTwiceIsTheChangeMadeOnce(t *testing.T) {
	c := change(t, Fields{Set: map[string]string{"a": "unixms(a)", "e": `blank(e) ? "t" : e`}, Rename: map[string]string{"x": "y"}, Remove: []string{"z"}})
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]string{"", "1", "1970-01-01T00:00:01.5+01:00", "nonsense"})
		record := map[string]any{}
		for _, name := range c.Reads() {
			if rapid.Bool().Draw(t, name) {
				record[name] = value.Draw(t, "value")
			}
		}
		edit, err := c.Of(record)
		if err != nil {
			return
		}
		for _, v := range edit.Set {
			text, err := Text(v.Value)
			if err != nil {
				t.Fatal(err)
			}
			record[v.Field] = text
		}
		for _, field := range edit.Remove {
			delete(record, field)
		}
		if again, err := c.Of(record); err != nil || !again.Empty() {
			t.Fatalf("%v: %+v %v", record, again, err)
		}
	})
}
