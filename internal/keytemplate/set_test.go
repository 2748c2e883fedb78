package keytemplate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPairsThatLoseSomethingAreRefused(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"a:<x>:<y>", "b:<x>", "<y> is lost"},
		{"a:<x>", "b:<x>:<y>", "<y> is not in from"},
		{"a:<x>", "b:<x:[0-9]+>", "pattern is written in from"},
		{"a:<x>", "a:<x>", "the same"},
		{"a:<x...>", "b:<x>", "one of the two places"},
		{"a:<x>", "b:<x", `to "b:<x": `},
		{"a<", "b", `from "a<": `},
		{"a", `\a`, "the same key"},
	} {
		if _, err := NewPair(c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s -> %s: %v, want %q", c.from, c.to, err, c.want)
		}
	}
}

func pair(t *testing.T, from, to string, over ...string) Pair {
	t.Helper()
	p, err := NewPair(from, to, over...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func template(t *testing.T, text string) Template {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func set(t *testing.T, pairs []Pair, keep, drop []Template) *Set {
	t.Helper()
	s, err := NewSet(pairs, keep, drop)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTargets(t *testing.T) {
	hash := []Pair{pair(t, "tenant:<tenant>:<rest...>", "tenant:{<tenant>}:<rest...>")}
	strict := []Pair{pair(t, "tenant:<tenant:[^:]+>:<rest...>", "tenant:{<tenant>}:<rest...>")}
	outpost := []Pair{
		pair(t, "tenant:<t>", "tenant:{<t>}:tenant"),
		pair(t, "tenant:<t>:destinations", "tenant:{<t>}:destinations", "tenant:<t>"),
		pair(t, "tenant:<t>:destination:<d>", "tenant:{<t>}:destination:<d>", "tenant:<t>"),
	}
	for _, c := range []struct {
		pairs          []Pair
		key, key2, why string // target, or a piece of the reason; both "": no source
	}{
		{hash, "tenant:a:x", "tenant:{a}:x", ""},
		{hash, "tenant:a:x:y", "", ", or it becomes"},
		{hash, "tenant:{a}:x", "", ""}, // a target, not a source
		{hash, "tenant:{a:x", "", ""},  // braces are in no hash tag
		{hash, "other", "", ""},
		{strict, "tenant:a:x:y", "tenant:{a}:x:y", ""},
		{strict, "tenant::x", "", ""},
		{strict, "tenant:a:\x00\xff", "tenant:{a}:\x00\xff", ""},
		{strict, "tenant:{a}:x", "", ""},
		{outpost, "tenant:a", "tenant:{a}:tenant", ""},
		{outpost, "tenant:a:b", "tenant:{a:b}:tenant", ""},
		{outpost, "tenant:a:destinations", "tenant:{a}:destinations", ""},
		{outpost, "tenant:a:destination:d", "tenant:{a}:destination:d", ""},
		{outpost, "tenant:a:destination:d:e", "tenant:{a}:destination:d:e", ""},
		{outpost, "tenant:a:destination:destination:d", "", ", or it becomes"},
		{outpost, "tenant:a:destination:x:destination:d", "", ", or it becomes"},
		{outpost, "tenant:a:destination:x:destinations", "", ", or it becomes"},
		{[]Pair{pair(t, "a:<x>|<y>", "b:<x>:<y>")}, "a:p:q|r", "", `, or "a:p|q:r" becomes`},
		{[]Pair{pair(t, "a:<x>|<y>", "b:<x>:<y>")}, "a:p|r", "b:p:r", ""},
		{[]Pair{pair(t, "a:<x:[a-z0-9]+>", "b:<x>"), pair(t, "c:<x:[A-Z0-9]+>", "b:<x>")}, "a:7", "", `, or "c:7" becomes`},
		{[]Pair{pair(t, "a:<x:[a-z0-9]+>", "b:<x>"), pair(t, "c:<x:[A-Z0-9]+>", "b:<x>")}, "a:x", "b:x", ""},
	} {
		s := set(t, c.pairs, nil, nil)
		to, ok, err := s.Target(c.key)
		if c.why != "" {
			if _, is := errors.AsType[*AmbiguousError](err); !is || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%s: %q %v, want %q", c.key, to, err, c.why)
			}
			continue
		}
		if err != nil || to != c.key2 || ok != (to != "") {
			t.Errorf("%s: %q %v %v, want %q", c.key, to, ok, err, c.key2)
		}
		if from, is, err := s.Source(to); ok && (!is || err != nil || from != c.key) {
			t.Errorf("back from %s: %q %v %v", to, from, is, err)
		}
	}
}

func TestDeclarationsThatContradictAreRefused(t *testing.T) {
	ab := pair(t, "a:<x>", "b:<x>")
	for _, c := range []struct {
		pairs []Pair
		keep  []Template
		want  string
	}{
		{[]Pair{ab, ab}, nil, "twice"},
		{[]Pair{pair(t, "a:<x>", "b:<x>", "c:<x>")}, nil, "no other pair"},
		{[]Pair{pair(t, "a:<x>", "b:<x>", "a:<y>"), pair(t, "a:<y>", "c:<y>", "a:<x>")}, nil, "each over the other"},
		{[]Pair{ab, pair(t, "b:<x>", "c:<x>")}, nil, "no key is understood"},
		{[]Pair{ab, pair(t, "a:<y>", "c:<y>")}, nil, "no key is understood"},
		{[]Pair{ab}, []Template{template(t, "a:<x>")}, "kept by name"},
	} {
		if _, err := NewSet(c.pairs, c.keep, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestSetSaysWhatItIs(t *testing.T) {
	s := set(t, []Pair{pair(t, "t:<x>:a", "t:{<x>}:a"), pair(t, "t:b:<y>", "u:<y>", "t:<x>:a")},
		[]Template{template(t, "s:<id>"), template(t, "d:1")}, []Template{template(t, "d:<id>")})
	if got := s.Sources(); !slices.Equal(got, []string{"t:"}) {
		t.Errorf("sources: %q", got)
	}
	if got := s.Targets(); !slices.Equal(got, []string{"t:{", "u:"}) {
		t.Errorf("targets: %q", got)
	}
	if !s.Kept("s:1") || s.Kept("t:1") || !s.Dropped("d:2") || s.Dropped("d:1") || s.Dropped("s:1") {
		t.Error("kept and dropped")
	}
	const want = "t:<x>:a -> t:{<x>}:a\nt:b:<y> -> u:<y> over t:<x>:a\nkeep s:<id>\nkeep d:1\ndrop d:<id>\n"
	if s.String() != want {
		t.Errorf("%s", s)
	}
}

// drawSet draws up to three pairs that NewPair and NewSet accept.
func drawSet(t *rapid.T) *Set {
	var pairs []Pair
	for range rapid.IntRange(1, 3).Draw(t, "pairs") {
		from := drawTemplate(t)
		var b strings.Builder
		names := rapid.Permutation(from.Names()).Draw(t, "order")
		for _, name := range names {
			b.WriteString(rapid.SampledFrom([]string{"c", ":", "{", "}:", "b:"}).Draw(t, "text"))
			if from.part(name).rest {
				name += "..."
			}
			b.WriteString("<" + name + ">")
		}
		var over []string
		if len(pairs) > 0 && rapid.Bool().Draw(t, "over") {
			over = append(over, pairs[0].From.text)
		}
		if p, err := NewPair(from.String(), b.String(), over...); err == nil {
			pairs = append(pairs, p)
		}
	}
	s, err := NewSet(pairs, nil, nil)
	if err != nil {
		t.Skip(err)
	}
	return s
}

// TestEveryTargetHasOneSource goes over all short keys of an alphabet: what is
// understood goes there and back, no two keys become one, and no key is a
// source as well as a target.
func TestEveryTargetHasOneSource(t *testing.T) {
	all := every("ab:{}c", 4)
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t)
		taken := map[string]string{}
		for _, key := range all {
			to, ok, err := s.Target(key)
			if err != nil || !ok {
				continue
			}
			if other, is := taken[to]; is {
				t.Fatalf("%q and %q both become %q\n%s", key, other, to, s)
			}
			taken[to] = key
			if from, is, err := s.Source(to); err != nil || !is || from != key {
				t.Fatalf("%q becomes %q, which was %q %v %v\n%s", key, to, from, is, err, s)
			}
			if _, is, err := s.Source(key); is || err != nil {
				t.Fatalf("%q is a source as well as a target: %v\n%s", key, err, s)
			}
		}
		for _, key := range all {
			from, ok, err := s.Source(key)
			if err != nil || !ok {
				continue
			}
			if to, is, err := s.Target(from); err != nil || !is || to != key {
				t.Fatalf("%q was %q, which becomes %q %v %v\n%s", key, from, to, is, err, s)
			}
			if to, is, err := s.Target(key); err != nil || is {
				t.Fatalf("%q is a target as well as a source: %q %v\n%s", key, to, err, s)
			}
		}
	})
}

// every gives all texts of up to n letters.
func every(letters string, n int) []string {
	all, last := []string{""}, []string{""}
	for range n {
		var longer []string
		for _, text := range last {
			for _, letter := range letters {
				longer = append(longer, text+string(letter))
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}

func BenchmarkTarget(b *testing.B) {
	p, err := NewPair("tenant:<tenant:[^:]+>:<rest...>", "tenant:{<tenant>}:<rest...>")
	if err != nil {
		b.Fatal(err)
	}
	s, err := NewSet([]Pair{p}, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok, err := s.Target("tenant:5f1c:destination:9a"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
