package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stopover-dev/stopover/store"
)

func rewriteOf(t *testing.T, all ...Rewriting) Rewrite {
	t.Helper()
	r, err := NewRewrite(all...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// instants are the rewriting of most tests.
func instants(policy Policy, quarantine string) Rewriting {
	return Rewriting{Keys: "tenant:<t:[^:]+>:tenant", Set: map[string]string{"created_at": "unixms(created_at)"},
		Rename: map[string]string{"mail": "email"}, Remove: []string{"legacy"}, Unconvertible: policy, Quarantine: quarantine}
}

const before, after = "1970-01-01T00:00:01.5Z", "1500"

// TestARewriteChangesValuesInPlace goes over hashes and strings on every
// master, twice, and looks at what it must leave alone, too.
func TestARewriteChangesValuesInPlace(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		const n = 150
		end := time.Now().Add(time.Hour).UnixMilli()
		for i := range n {
			key := f.Store.full(fmt.Sprintf("tenant:%d:tenant", i))
			if i%3 == 0 {
				f.raw("SET", key, `{"id": 12345678901234567890, "created_at": "`+before+`", "mail": "<m>"}`)
			} else {
				f.raw("HSET", key, "created_at", before, "mail", "\xff\x00", "legacy", "", "other", "o")
			}
			f.raw("PEXPIREAT", key, end)
		}
		f.raw("HSET", f.Store.full("tenant:1:user"), "created_at", before)
		action := rewriteOf(t, instants(Fail, ""))
		if found, err := f.Store.Do(t.Context(), store.Task{Action: Rewritten{action}}); err != nil || found.Rows != n {
			t.Fatalf("before: %+v, %v", found, err)
		}
		for round, want := range []int64{n, 0} {
			if rows, err := f.through(action, 40); err != nil || rows != want {
				t.Fatalf("round %d: %d rows, %v", round, rows, err)
			}
			for i := range n {
				key := f.Store.full(fmt.Sprintf("tenant:%d:tenant", i))
				if got := f.raw("PEXPIRETIME", key); got != end {
					t.Fatalf("%s ends at %v, want %d", key, got, end)
				}
				if i%3 == 0 {
					if got := f.raw("GET", key); got != `{"id":12345678901234567890,"created_at":1500,"email":"<m>"}` {
						t.Fatalf("%s holds %v", key, got)
					}
				} else if got := fmt.Sprintf("%q", f.raw("HMGET", key, "created_at", "email", "mail", "legacy", "other")); got != `["1500" "\xff\x00" <nil> <nil> "o"]` {
					t.Fatalf("%s holds %s", key, got)
				}
			}
		}
		if got := f.raw("HGET", f.Store.full("tenant:1:user"), "created_at"); got != before {
			t.Errorf("a key that the template does not match holds %v", got)
		}
		if found := f.violations(Rewritten{action}); len(found) != 0 {
			t.Errorf("after: %q", found)
		}
	})
}

// TestAValueThatChangesMeanwhileIsReadAgain changes fields and texts between
// reading and writing: what was written then stays.
func TestAValueThatChangesMeanwhileIsReadAgain(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		var names []string
		for i := range 6 {
			name := fmt.Sprintf("tenant:%d:tenant", i)
			names = append(names, name)
			f.raw("HSET", f.Store.full(name), "created_at", before, "mail", "m")
		}
		f.raw("SET", f.Store.full("tenant:s:tenant"), `{"created_at":"`+before+`"}`)
		all, err := rewriteOf(t, instants(Fail, "")).among(append(names, "tenant:s:tenant"))
		if err != nil || len(all) != 7 {
			t.Fatal(all, err)
		}
		w := &Sweep{Reader: Reader{store: f.Store}}
		edits, err := w.rewritings(t.Context(), all, map[string]string{})
		if err != nil || len(edits) != 7 {
			t.Fatal(len(edits), err)
		}
		f.raw("HSET", f.Store.full(names[0]), "created_at", "1970-01-01T00:00:02Z")
		f.raw("HSET", f.Store.full(names[1]), "email", "another")
		f.raw("HDEL", f.Store.full(names[2]), "mail")
		f.raw("DEL", f.Store.full(names[3]))
		f.raw("SET", f.Store.full(names[4]), "{}")
		f.raw("HSET", f.Store.full(names[5]), "other", "is not looked at")
		f.raw("SET", f.Store.full("tenant:s:tenant"), `{"created_at":"1970-01-01T00:00:02Z"}`)
		rows, changed, err := w.write(t.Context(), edits)
		if err != nil || rows != 1 || len(changed) != 6 {
			t.Fatalf("%d rows, %v changed, %v", rows, changed, err)
		}
		if got := f.raw("EXISTS", f.Store.full(names[3])); got != int64(0) {
			t.Error("a key that was deleted meanwhile is there again")
		}
		rows, odd, err := w.rewriteAll(t.Context(), changed)
		if err != nil || rows != 3 || len(odd) != 1 || odd[names[1]] == "" {
			t.Errorf("again: %d rows, %v, %v", rows, odd, err)
		}
		if got := f.raw("HGET", f.Store.full(names[0]), "created_at"); got != "2000" {
			t.Errorf("created_at is %v", got)
		}
		if got := f.raw("GET", f.Store.full("tenant:s:tenant")); got != `{"created_at":2000}` {
			t.Errorf("the text is %v", got)
		}
	})
}

func TestWhatCannotBeConvertedIsDealtWithAsDeclared(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		good, odd, list := f.Store.full("tenant:a:tenant"), f.Store.full("tenant:b:tenant"), f.Store.full("tenant:c:tenant")
		f.raw("HSET", good, "created_at", before)
		f.raw("HSET", odd, "created_at", "yesterday", "mail", "m")
		f.raw("RPUSH", list, "x")
		strict := rewriteOf(t, instants(Fail, ""))
		if _, err := f.through(strict, 100); !errors.As(err, new(*UnconvertedError)) {
			t.Errorf("%v (%T)", err, err)
		}
		// A scan may give the keys in several stretches: all of one batch are named.
		w := &Sweep{Reader: Reader{store: f.Store}}
		batch, err := strict.among([]string{"tenant:a:tenant", "tenant:b:tenant", "tenant:c:tenant"})
		if err != nil {
			t.Fatal(err)
		}
		_, reasons, err := w.rewriteAll(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		err = w.setAside(t.Context(), batch, reasons)
		wantText(t, err, "tenant:b:tenant", "yesterday", "tenant:c:tenant", "it is a list")
		for round := range 2 {
			if _, err := f.through(rewriteOf(t, instants(Keep, "")), 100); err != nil {
				t.Fatal(err)
			}
			if found, err := f.Store.Unconverted(t.Context()); err != nil || len(found) != 2 || !strings.Contains(found["tenant:b:tenant"], "yesterday") {
				t.Errorf("round %d: %v, %v", round, found, err)
			}
		}
		aside := rewriteOf(t, instants(Quarantine, "odd:{<t>}"))
		f.raw("DEL", list)
		f.raw("RPUSH", list, "x")
		for round := range 2 {
			if _, err := f.through(aside, 100); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		if a, b := f.raw("HGET", f.Store.full("odd:{b}"), "created_at"), f.raw("HGET", odd, "created_at"); a != "yesterday" || b != "yesterday" {
			t.Errorf("in quarantine is %v, at its place %v", a, b)
		}
		if a, b := f.raw("HGET", good, "created_at"), f.raw("EXISTS", f.Store.full("odd:{a}")); a != after || b != int64(0) {
			t.Errorf("a good value is %v, and %v times in quarantine", a, b)
		}
		if found := f.violations(Rewritten{aside}); len(found) != 0 {
			t.Errorf("%q", found)
		}
		if found := f.violations(Rewritten{rewriteOf(t, instants(Fail, ""))}); len(found) != 2 {
			t.Errorf("%q", found)
		}
		f.raw("HSET", odd, "created_at", before)
		if _, err := f.through(aside, 100); err != nil {
			t.Fatal(err)
		}
		if found, err := f.Store.Unconverted(t.Context()); err != nil || len(found) != 1 {
			t.Errorf("what was mended is still on the list: %v, %v", found, err)
		}
	})
}

// TestALateRewriteIsFenced lets another holder take over between reading and
// writing.
func TestALateRewriteIsFenced(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		key := f.Store.full("tenant:a:tenant")
		f.raw("HSET", key, "created_at", before)
		old := f.note("epoch", store.Absent, `1`)
		late := &Sweep{Reader: Reader{store: f.another()}, task: store.Task{Guard: []store.Note{old}}, guard: old.Rev}
		now := f.note("epoch", old.Rev, `2`)
		first := Stretch("first", func(context.Context, *Sweep, []byte, int) ([]byte, bool, int64, error) { return nil, true, 0, nil })
		if _, err := f.Store.Do(t.Context(), store.Task{Action: first, Size: 1, Guard: []store.Note{now}}); err != nil {
			t.Fatal(err)
		}
		batch, err := rewriteOf(t, instants(Keep, "")).among([]string{"tenant:a:tenant"})
		if err != nil {
			t.Fatal(err)
		}
		rows, _, err := late.rewriteAll(t.Context(), batch)
		if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard || rows != 0 {
			t.Errorf("%d rows, %v", rows, err)
		}
		if got := f.raw("HGET", key, "created_at"); got != before {
			t.Errorf("it was written late: %v", got)
		}
		err = late.setAside(t.Context(), batch, map[string]string{"tenant:a:tenant": "late"})
		if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard {
			t.Errorf("the list was written late: %v", err)
		}
	})
}

func TestARewriteThatDoesNotSettleIsRefused(t *testing.T) {
	everyServer(t, func(t *testing.T, f fixture) {
		for name, put := range map[string][]any{"h": {"HSET", f.Store.full("n:h"), "n", "1"}, "s": {"SET", f.Store.full("n:s"), `{"n":1}`}} {
			f.raw(put...)
			more := Rewriting{Keys: "n:" + name, Set: map[string]string{"n": "number(n) + 1"}, Unconvertible: Keep}
			_, err := f.through(rewriteOf(t, more), 10)
			wantText(t, err, "n:"+name, "a second run")
			more.Where, more.Set["v"] = "blank(v)", `"2"`
			for round, want := range []int64{1, 0} {
				if rows, err := f.through(rewriteOf(t, more), 10); err != nil || rows != want {
					t.Errorf("round %d: %d rows, %v", round, rows, err)
				}
			}
		}
		if got := f.raw("HGET", f.Store.full("n:h"), "n"); got != "2" {
			t.Errorf("n is %v", got)
		}
		two := rewriteOf(t, Rewriting{Keys: "n:<a>", Remove: []string{"x"}}, Rewriting{Keys: "n:h", Remove: []string{"y"}})
		_, err := f.through(two, 10)
		wantText(t, err, "n:h", "2 ways")
	})
}

func TestRewritingsInFilesSayWhatIsWrongAndWhere(t *testing.T) {
	const begin = "\n  rewrite:\n"
	for _, c := range []struct{ text, want string }{
		{"\n  rewrite: full\n", "say below rewrite:"},
		{begin + "    - {keys: \"a\", remove: [x]}\n  copy: []\n", `6: unknown key "copy" (known: rewrite, requires`},
		{begin + "    - {keys: \"a\", sets: {}}\n", `5: unknown key "sets", did you mean set?`},
		{begin + "    - {remove: [x]}\n", "5: keys: is missing"},
		{begin + "    - {keys: \"a\"}\n", "5: rewrite \"a\": nothing is set"},
		{begin + "    - {keys: \"a\", remove: [x]}\n    - {keys: \"<a\", remove: [x]}\n", "6: rewrite \"<a\": the part"},
		{begin + "    - {keys: \"a\", set: {x: \"1 +\"}}\n", "5: rewrite \"a\": set x"},
		{begin + "    - keys: \"a\"\n      set: {x: 1}\n", "6: set: what stands for x is not text"},
		{begin + "    - keys: \"a\"\n      set: x\n", "6: set: is not a mapping"},
		{begin + "    - keys: \"a\"\n      where: 5\n", "6: where: is not text"},
		{begin + "    - {keys: \"a\", remove: [x], unconvertible: drop}\n", "5: rewrite \"a\": unconvertible: drop is not known"},
		{begin + "    - {keys: \"a\", remove: [x], unconvertible: quarantine}\n", "to which key a value is copied"},
		{begin + "    - {keys: \"a\", remove: [x], quarantine: \"b\"}\n", "nothing is put there"},
		{begin + "    - {keys: \"a:<x>\", remove: [x], unconvertible: quarantine, quarantine: \"b\"}\n", "<x> is lost"},
	} {
		_, err := Kind().Parse(backfill(c.text))
		if _, is := errors.AsType[*store.SyntaxError](err); !is || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	parsed, err := Kind().Parse(backfill(begin + "    - {keys: \"tenant:<t:[^:]+>:tenant\", set: {created_at: \"unixms(created_at)\"},\n" +
		"       rename: {mail: email}, remove: [legacy], where: 'created_at != nil', unconvertible: quarantine, quarantine: \"odd:<t>\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"tenant:<t:[^:]+>:tenant", "unixms(created_at)", "rename mail to email", "remove legacy", "where created_at != nil", "odd:<t>"} {
		if text := parsed.Action.Statements()[0].Text; !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}
