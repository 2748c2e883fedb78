package redis

import (
	"errors"

	"github.com/stopover-dev/stopover/internal/keytemplate"
)

// Renaming says that keys of the form From become keys of the form To, such as
// "tenant:<tenant:[^:]+>:<rest...>" and "tenant:{<tenant>}:<rest...>". A part is
// one byte or more of what its pattern takes, of anything without a pattern. A
// part that becomes a hash tag never has braces.
type Renaming struct {
	From, To string
	// Over lists the From of other renamings that do not count for a key that
	// this one takes.
	Over []string
}

// Templates makes a layout of renamings, and of the forms of keys that are kept
// or dropped by name. It refuses what cannot be undone or contradicts itself. A
// key that can still be read in two ways is an *AmbiguousError when it comes.
func Templates(renamings []Renaming, keep, drop []string) (Layout, error) {
	if len(renamings) == 0 {
		return nil, errors.New("a layout without a renaming")
	}
	var pairs []keytemplate.Pair
	for _, r := range renamings {
		pair, err := keytemplate.NewPair(r.From, r.To, r.Over...)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	kept, err := templates(keep)
	if err != nil {
		return nil, err
	}
	dropped, err := templates(drop)
	if err != nil {
		return nil, err
	}
	set, err := keytemplate.NewSet(pairs, kept, dropped)
	if err != nil {
		return nil, err
	}
	return templateLayout{set}, nil
}

func templates(texts []string) ([]keytemplate.Template, error) {
	var all []keytemplate.Template
	for _, text := range texts {
		t, err := keytemplate.Parse(text)
		if err != nil {
			return nil, errors.New("\"" + text + "\": " + err.Error())
		}
		all = append(all, t)
	}
	return all, nil
}

// templateLayout is a set of templates in the words of a Layout.
type templateLayout struct{ *keytemplate.Set }

func (l templateLayout) Target(key string) (string, bool, error) {
	to, ok, err := l.Set.Target(key)
	return to, ok, ambiguous(err)
}

func (l templateLayout) Source(key string) (string, bool, error) {
	from, ok, err := l.Set.Source(key)
	return from, ok, ambiguous(err)
}

// place is placeOf without its doubts: what a Set takes somewhere comes back, and
// is no target.
func (l templateLayout) place(key string) (pair, role, error) {
	to, ok, err := l.Target(key)
	if err != nil || ok {
		return pair{key, to}, source, err
	}
	from, ok, err := l.Source(key)
	if err != nil || !ok {
		return pair{}, neither, err
	}
	return pair{from, key}, target, nil
}

// sourceOnly is place for those to whom a target is a key like others.
func (l templateLayout) sourceOnly(key string) (pair, role, error) {
	to, ok, err := l.Target(key)
	if err != nil || !ok {
		return pair{}, neither, err
	}
	return pair{key, to}, source, nil
}

func (l templateLayout) Fate(key string) Fate {
	switch {
	case l.Kept(key):
		return Kept
	case l.Dropped(key):
		return Dropped
	}
	return Unmentioned
}

func ambiguous(err error) error {
	if known, ok := errors.AsType[*keytemplate.AmbiguousError](err); ok {
		return &AmbiguousError{Key: known.Key, Readings: known.Readings}
	}
	return err
}
