package redis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/internal/testserver"
	"github.com/stopover-dev/stopover/store"
)

func predicateOf(t *testing.T, text string) store.Parsed {
	t.Helper()
	parsed, err := Kind().Parse(store.Section{File: "f.yaml", Line: 2, Text: text, Shape: store.Query, Predicate: true})
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestAPredicateFindsOneKeyAmongMany asks a server and a cluster, where the key
// may be on any master.
func TestAPredicateFindsOneKeyAmongMany(t *testing.T) {
	for name, servers := range map[string][]*testserver.RedisServer{
		"one": {testserver.Redis(t)}, "cluster": testserver.RedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			f := prepared(t, servers...)
			for i := range 3000 {
				f.raw("SET", fmt.Sprintf("%st:{%d}:tenant", f.Store.prefix, i), "x")
			}
			f.raw("SET", "other:t:1", "x")
			parsed := predicateOf(t, `{"keys":["t:<id:[^:]+>","u:<id>"],"else":"no t has its old name"}`)
			if parsed.Else != "no t has its old name" {
				t.Errorf("else is %q", parsed.Else)
			}
			if found, err := f.run(parsed.Action); err != nil || found.Rows != 0 {
				t.Errorf("it finds %d keys %q, %v", found.Rows, found.Sample, err)
			}
			for i := range 3 { // on several masters
				key := fmt.Sprintf("%st:%d", f.Store.prefix, i)
				f.raw("SET", key, "x")
				if found, err := f.run(parsed.Action); err != nil || found.Rows != 1 {
					t.Errorf("with %s it finds %d keys, %v", key, found.Rows, err)
				}
				f.raw("DEL", key)
			}
		})
	}
}

func TestAPredicateSaysWhatItIs(t *testing.T) {
	parsed := predicateOf(t, `{"keys":"a:<id>"}`)
	if want := "there is no key a:<id>"; parsed.Else != want {
		t.Errorf("else is %q, want %q", parsed.Else, want)
	}
	if text := parsed.Action.Statements()[0].Text; !strings.Contains(text, "a:<id>") {
		t.Errorf("it is shown as %q", text)
	}
	for text, want := range map[string]string{
		`a:<id>`:                    `f.yaml:2: a Redis step says when it applies as {keys:`,
		`{}`:                        `f.yaml:2: a Redis step says when it applies as {keys:`,
		`{"else":"x"}`:              "f.yaml:2: keys: is missing",
		`{"keys":[]}`:               "f.yaml:2: keys: is missing",
		`{"keys":"<a"}`:             `f.yaml:2: keys: "<a": the part that begins`,
		`{"keys":"a","then":"b"}`:   `unknown key "then" (known: keys, else)`,
		`{"keys":"a","else":["b"]}`: "else: is not text",
		`{"keys":{"a":"b"}}`:        "keys: is not a list of texts",
	} {
		_, err := Kind().Parse(store.Section{File: "f.yaml", Line: 2, Text: text, Shape: store.Query, Predicate: true})
		wantText(t, err, want)
	}
}
