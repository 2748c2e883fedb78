package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/store"
)

const hashTags = `
  offline: true
  writers: "1.6"
  copy:
    - {from: "t:<tenant:[^:]+>", to: "t:{<tenant>}:tenant"}
    - from: "t:<tenant:[^:]+>:destination<rest...>"
      to: "t:{<tenant>}:destination<rest...>"
      over: ["t:<tenant:[^:]+>"]
  keep: ["session:<id>"]
  drop: ["cache:<id>"]
`

func backfill(text string) store.Section {
	return store.Section{File: "0007_tags.yaml", Line: 3, Text: text, Shape: store.Stretched}
}

func TestSectionsSayWhatIsWrongAndWhere(t *testing.T) {
	const copies = "\n  offline: true\n  copy:\n"
	for _, c := range []struct{ text, want string }{
		{"", "3: not a mapping"},
		{" full\n", "3: not a mapping"},
		{"\n  copied: []\n", `4: unknown key "copied", did you mean copy?`},
		{"\n  offline: true\n", "copy: what becomes of which keys"},
		{"\n  copy: {from: a, to: b}\n", "copy: what becomes of which keys"},
		{"\n  copy:\n    - {from: \"a:<x>\", to: \"b:<x>\"}\n", "say `offline: true`"},
		{copies + "    - {from: \"a:<x>\"}\n", "6: to: is missing"},
		{copies + "    - {from: \"a:<x>\", to: \"b:<x>\"}\n    - {from: \"c:<x>\", to: \"d\"}\n", "7: from \"c:<x>\" to \"d\": <x> is lost"},
		{copies + "    - {from: \"a:<x>\", two: \"b:<x>\"}\n", `6: unknown key "two", did you mean to?`},
		{copies + "    - {from: \"a:<x>\", to: \"b:<x>\", over: [\"z\"]}\n", "6: \"a:<x>\" is over \"z\", which is the from of no other pair"},
		{copies + "    - {from: \"a:<x>\", to: \"b:<x>\"}\n  keep: \"x\"\n", "7: keep: is not a list of texts"},
		{copies + "    - {from: \"a:<x>\", to: \"b:<x>\"}\n  keep: [\"<x\"]\n", `"<x": the part that begins`},
		{copies + "    - {from: \"a:<x>\", to: [\n", "not understood as YAML"},
	} {
		_, err := Kind().Parse(backfill(c.text))
		if _, is := errors.AsType[*store.SyntaxError](err); !is || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	verify := store.Section{File: "f", Line: 9, Text: " full\n", Shape: store.Query}
	_, err := Kind().Parse(verify)
	wantText(t, err, "f:9", "no backfill in the file")
	verify.Text = " quick\n"
	_, err = Kind().Parse(verify)
	wantText(t, err, "f:9", "verify: full")
	_, err = Kind().Parse(store.Section{File: "f", Line: 2, Text: " x\n"})
	wantText(t, err, "f:2", "written in Go")
	about := backfill(hashTags)
	for text, want := range map[string]string{
		" full\n":                                  "f:9: not a mapping",
		"\n  writers: \"1.6\"\n":                   "`delete: sources`",
		"\n  writers: \"1.6\"\n  delete: all\n":    "f:11: a contract of a Redis store is `delete: sources`",
		"\n  delete: sources\n  remove: old\n":     `f:11: unknown key "remove" (known: delete, requires`,
		" {readers: \"1.6\", delete: [sources]}\n": "f:9: a contract",
	} {
		_, err := Kind().Parse(store.Section{File: "f", Line: 9, Text: text, Shape: store.Whole, Contract: true, About: &about})
		wantText(t, err, want)
	}
	_, err = Kind().Parse(store.Section{File: "f", Line: 9, Text: " {delete: sources}\n", Shape: store.Whole, Contract: true})
	wantText(t, err, "f:9", "no backfill in the file")
}

// TestACopyOfAFileIsVerifiedByItsFile takes both actions from a file's text to
// the servers.
func TestACopyOfAFileIsVerifiedByItsFile(t *testing.T) {
	copied, err := Kind().Parse(backfill(hashTags))
	if err != nil {
		t.Fatal(err)
	}
	about := backfill(hashTags)
	verified, err := Kind().Parse(store.Section{File: "0007_tags.yaml", Line: 13, Text: " full\n", Shape: store.Query, About: &about})
	if err != nil {
		t.Fatal(err)
	}
	everyServer(t, func(t *testing.T, f fixture) {
		f.raw("SET", f.Store.full("session:1"), "s")
		f.raw("SET", f.Store.full("cache:1"), "c")
		f.raw("HSET", f.Store.full("t:a"), "id", "a")
		f.raw("HSET", f.Store.full("t:a:destinations"), "d", "\xff\x00")
		f.raw("SET", f.Store.full("t:b:destination:d:e"), "x")
		if found := f.violations(verified.Action); len(found) != 3 {
			t.Fatalf("before the copy: %q", found)
		}
		if rows, err := f.through(copied.Action, 2); err != nil || rows != 3 {
			t.Fatalf("%d rows, %v", rows, err)
		}
		if found := f.violations(verified.Action); len(found) != 0 {
			t.Fatalf("after the copy: %q", found)
		}
		if got := f.raw("HGET", f.Store.full("t:{a}:destinations"), "d"); got != "\xff\x00" {
			t.Errorf("%q", got)
		}
		f.raw("HSET", f.Store.full("t:{a}:tenant"), "id", "b")
		f.raw("SET", f.Store.full("other"), "x")
		if found := f.violations(verified.Action); len(found) != 2 {
			t.Errorf("a target that differs and a key of which nothing is said: %q", found)
		}
	})
}

func TestAKeyWithTwoReadingsIsNamed(t *testing.T) {
	layout, err := Templates([]Renaming{{From: "t:<tenant>:<rest...>", To: "t:{<tenant>}:<rest...>"}}, []string{"s:<id>"}, []string{"c:<id>"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = layout.Target("t:a:b:c")
	known, is := errors.AsType[*AmbiguousError](err)
	if !is || known.Key != "t:a:b:c" || len(known.Readings) != 2 {
		t.Errorf("%v", err)
	}
	if layout.Fate("s:1") != Kept || layout.Fate("c:1") != Dropped || layout.Fate("x") != Unmentioned {
		t.Error("fates")
	}
	if _, err := Templates(nil, nil, nil); err == nil {
		t.Error("a layout of nothing is accepted")
	}
}
