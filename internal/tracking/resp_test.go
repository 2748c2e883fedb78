package tracking

import (
	"bufio"
	"reflect"
	"strings"
	"testing"
)

func parse(text string) (any, error) { return value(bufio.NewReader(strings.NewReader(text)), 0) }

func TestValues(t *testing.T) {
	for text, want := range map[string]any{
		"+OK\r\n":                                "OK",
		"-NOPERM no\r\n":                         failure("NOPERM no"),
		":-7\r\n":                                int64(-7),
		"_\r\n":                                  nil,
		"$-1\r\n":                                nil,
		"*-1\r\n":                                nil,
		"$0\r\n\r\n":                             "",
		"$4\r\na\r\nb\r\n":                       "a\r\nb",
		"=5\r\ntxt:a\r\n":                        "txt:a",
		"!5\r\nERR a\r\n":                        failure("ERR a"),
		",1.5\r\n":                               "1.5",
		"#t\r\n":                                 "t",
		"(12345678901234567890\r\n":              "12345678901234567890",
		"*0\r\n":                                 []any{},
		"~1\r\n:1\r\n":                           []any{int64(1)},
		"%1\r\n+a\r\n*1\r\n_\r\n":                []any{"a", []any{nil}},
		">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n": push{"invalidate", []any{"a"}},
		"|1\r\n+ttl\r\n:3\r\n+OK\r\n":            "OK",
	} {
		got, err := parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v, %v, want %#v", text, got, err, want)
		}
	}
}

func TestValuesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "\r\n", "+OK\n", "+OK", "?\r\n", ":a\r\n", "$a\r\n", "$-2\r\n", "$999999999999\r\n", "$3\r\na\r\n", "$1\r\nabc",
		"*2\r\n:1\r\n", "*-2\r\n", "*999999999999\r\n", "%1\r\n+a\r\n", "|1\r\n+a\r\n", strings.Repeat("*1\r\n", 100) + ":1\r\n",
		"+" + strings.Repeat("a", 10000) + "\r\n",
	} {
		if got, err := parse(text); err == nil {
			t.Errorf("%.20q was read as %#v", text, got)
		}
	}
}

func TestEventsThatAreNone(t *testing.T) {
	for text, wrong := range map[string]bool{
		">2\r\n+message\r\n+a\r\n":               false, // of another sort
		">2\r\n+invalidate\r\n+a\r\n":            true,
		">2\r\n+invalidate\r\n*1\r\n:1\r\n":      true,
		"+OK\r\n":                                true, // nobody asked
		">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n": false,
	} {
		got, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c := &Connection{options: Options{Changed: func([]string) {}, Emptied: func() { t.Errorf("%q empties", text) }}}
		if err := c.take(got); (err != nil) != wrong {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzValue looks for texts that take the reader down or keep it.
func FuzzValue(f *testing.F) {
	f.Add(">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n")
	f.Add("%1\r\n+a\r\n|1\r\n+b\r\n_\r\n,1\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parse(text); err == nil && text == "" {
			t.Errorf("nothing was read as %#v", got)
		}
	})
}
