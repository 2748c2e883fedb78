package keytemplate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Set is what is declared for all keys of a store: the pairs, and the keys that
// are kept or dropped by name. Make one with NewSet.
type Set struct {
	pairs      []Pair
	keep, drop []Template
}

// AmbiguousError reports a key for which several things could be meant.
type AmbiguousError struct {
	Key      string
	Readings []string // what could be meant, `it becomes "b:1"`
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("key %q: %s; say what a part takes, such as <tenant:[^:]+>, or which pair is over which",
		e.Key, strings.Join(e.Readings, ", or "))
}

// NewSet puts pairs together and says what is wrong between them.
func NewSet(pairs []Pair, keep, drop []Template) (*Set, error) {
	var names []string
	for _, p := range pairs {
		if slices.Contains(names, p.From.text) {
			return nil, fmt.Errorf("%q is there twice", p.From.text)
		}
		names = append(names, p.From.text)
	}
	for _, p := range pairs {
		for _, other := range p.Over {
			if !slices.Contains(names, other) || other == p.From.text {
				return nil, fmt.Errorf("%q is over %q, which is the from of no other pair", p.From.text, other)
			}
			if i := slices.Index(names, other); slices.Contains(pairs[i].Over, p.From.text) {
				return nil, fmt.Errorf("%q and %q are each over the other", p.From.text, other)
			}
		}
	}
	s := &Set{pairs: pairs, keep: keep, drop: drop}
	if err := s.clash(); err != nil {
		return nil, err
	}
	return s, nil
}

// Target gives the key that key becomes; ok is false where it is no source. The
// error is an *AmbiguousError.
func (s *Set) Target(key string) (to string, ok bool, err error) {
	to, ok, err = s.forward(key)
	if err != nil || !ok {
		return "", false, err
	}
	before, err := s.origins(key)
	if err != nil {
		return "", false, err
	}
	further, is, wrong := s.forward(to)
	twins, err := s.origins(to)
	if err != nil {
		return "", false, err
	}
	named := s.named(key)
	if named == "" && before.len() == 0 && wrong == nil && !is && twins.len() == 1 && twins.one == key {
		return to, true, nil
	}
	readings := []string{becomes("it", to)}
	if named != "" {
		readings = append(readings, "it is "+named+" by name")
	}
	for i := range before.len() {
		readings = append(readings, becomes(quote(before.at(i)), key))
	}
	if wrong != nil || is {
		readings = append(readings, becomes(quote(to), cmp.Or(further, "something else")))
	}
	for i := range twins.len() {
		if from := twins.at(i); from != key {
			readings = append(readings, becomes(quote(from), to))
		}
	}
	if len(readings) > 1 {
		return "", false, &AmbiguousError{key, readings}
	}
	return to, true, nil
}

// Source gives the key that becomes key; ok is false where it is no target. The
// error is an *AmbiguousError. Only what Target agrees to is a source.
func (s *Set) Source(key string) (from string, ok bool, err error) {
	all, err := s.origins(key)
	if err != nil || all.len() == 0 {
		return "", false, err
	}
	to, ok, err := s.Target(all.one)
	if err != nil || !ok || to != key {
		return "", false, err
	}
	return all.one, true, nil
}

// forward gives what the pairs make of a key, with the declared preferences.
func (s *Set) forward(key string) (string, bool, error) {
	to, hits := "", 0
	for i := range s.pairs {
		these := s.pairs[i].there(key)
		if these.len() == 0 {
			continue
		}
		to = these.one
		if hits += these.len(); hits > 1 {
			return s.preferred(key)
		}
	}
	return to, hits > 0, nil
}

// preferred is forward for a key that has several readings.
func (s *Set) preferred(key string) (string, bool, error) {
	var hits []int
	targets := map[int]found{}
	for i := range s.pairs {
		if to := s.pairs[i].there(key); to.len() > 0 {
			hits, targets[i] = append(hits, i), to
		}
	}
	var all found
	for _, i := range hits {
		if s.yields(i, hits) {
			continue
		}
		to := targets[i]
		for k := range to.len() {
			all.add(to.at(k))
		}
	}
	if all.len() <= 1 {
		return all.one, all.len() > 0, nil
	}
	var readings []string
	for i := range all.len() {
		readings = append(readings, becomes("it", all.at(i)))
	}
	return "", false, &AmbiguousError{key, readings}
}

// yields tells whether another of the pairs is declared to be over pair i.
func (s *Set) yields(i int, hits []int) bool {
	return slices.ContainsFunc(hits, func(k int) bool { return slices.Contains(s.pairs[k].Over, s.pairs[i].From.text) })
}

// origins gives the keys that become key, by the pairs and their preferences.
func (s *Set) origins(key string) (found, error) {
	var all found
	for i := range s.pairs {
		before := s.pairs[i].back(key)
		for k := range before.len() {
			// Whether that key becomes this one may itself be ambiguous.
			to, ok, err := s.forward(before.at(k))
			if err != nil {
				return found{}, err
			}
			if ok && to == key {
				all.add(before.at(k))
			}
		}
	}
	return all, nil
}

// Kept tells whether the key is kept by name.
func (s *Set) Kept(key string) bool { return matches(s.keep, key) }

// Dropped tells whether the key is dropped by name, and not kept.
func (s *Set) Dropped(key string) bool { return !s.Kept(key) && matches(s.drop, key) }

func matches(templates []Template, key string) bool {
	return slices.ContainsFunc(templates, func(t Template) bool { return t.Matches(key) })
}

func (s *Set) named(key string) string {
	switch {
	case s.Kept(key):
		return "kept"
	case s.Dropped(key):
		return "dropped"
	}
	return ""
}

// Sources gives the shortest list of prefixes that all sources begin with.
func (s *Set) Sources() []string {
	return s.prefixes(func(p Pair) string { return p.From.Prefix() })
}

// Targets gives the shortest list of prefixes that all targets begin with.
func (s *Set) Targets() []string {
	return s.prefixes(func(p Pair) string { return p.To.Prefix() })
}

func (s *Set) prefixes(of func(Pair) string) []string {
	var all, least []string
	for _, p := range s.pairs {
		all = append(all, of(p))
	}
	slices.Sort(all) // so that what covers another stands before it
	for _, prefix := range all {
		if len(least) == 0 || !strings.HasPrefix(prefix, least[len(least)-1]) {
			least = append(least, prefix)
		}
	}
	return least
}

// String gives everything that the set says, a line each. Sets with the same
// text do the same.
func (s *Set) String() string {
	var b strings.Builder
	for _, p := range s.pairs {
		fmt.Fprintf(&b, "%s -> %s", p.From.text, p.To.text)
		if len(p.Over) > 0 {
			fmt.Fprintf(&b, " over %s", strings.Join(p.Over, ", "))
		}
		b.WriteByte('\n')
	}
	for _, t := range s.keep {
		fmt.Fprintf(&b, "keep %s\n", t.text)
	}
	for _, t := range s.drop {
		fmt.Fprintf(&b, "drop %s\n", t.text)
	}
	return b.String()
}

func quote(key string) string { return fmt.Sprintf("%q", key) }

func becomes(key, to string) string { return key + " becomes " + quote(to) }
