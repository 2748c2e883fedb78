package redis

import (
	"errors"
	"fmt"
)

// pair is a source and its target, without the prefix.
type pair struct{ from, to string }

// role is what a layout makes of a key.
type role int

const (
	neither role = iota
	source
	target
)

// placeOf tells which pair a key belongs to, and as what. A layout that makes two
// things of one key, or does not come back to where it began, gives an error:
// what it says of other keys is worth nothing then.
func placeOf(layout Layout, key string) (pair, role, error) {
	if known, ok := layout.(templateLayout); ok {
		return known.place(key)
	}
	to, isSource, err := layout.Target(key)
	if err != nil {
		return pair{}, neither, err
	}
	from, isTarget, err := layout.Source(key)
	if err != nil {
		return pair{}, neither, err
	}
	switch {
	case isSource && isTarget:
		return pair{}, neither, &AmbiguousError{Key: key, Readings: []string{
			fmt.Sprintf("a source that goes to %q", to), fmt.Sprintf("a target that comes from %q", from)}}
	case isSource:
		back, ok, err := layout.Source(to)
		if err == nil && (!ok || back != key) {
			err = fmt.Errorf("the layout %s takes %q to %q, and not back", layout, key, to)
		}
		return pair{key, to}, source, err
	case isTarget:
		forth, ok, err := layout.Target(from)
		if err == nil && (!ok || forth != key) {
			err = fmt.Errorf("the layout %s takes %q from %q, and not back", layout, key, from)
		}
		return pair{from, key}, target, err
	}
	return pair{}, neither, nil
}

// isAmbiguous finds the error of a key that a layout cannot tell.
func isAmbiguous(err error) bool { return errors.As(err, new(*AmbiguousError)) }

// beginning gives what all texts begin with, for the pattern of a scan.
func beginning(texts ...[]string) string {
	first, common := true, ""
	for _, list := range texts {
		for _, text := range list {
			if first {
				first, common = false, text
			}
			for len(common) > len(text) || text[:len(common)] != common {
				common = common[:len(common)-1]
			}
		}
	}
	return common
}
