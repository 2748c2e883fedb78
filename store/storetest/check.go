package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/stopover-dev/stopover/store"
)

// formatKey is the note in which a store may keep the version of its books; a
// Look without prefixes may show it.
const formatKey = "format"

func note(key string, rev int64, value string) store.Note {
	n := store.Note{Key: key, Rev: rev}
	if value != "" {
		n.Value = []byte(value)
	}
	return n
}

// swap writes notes that must not conflict, and gives the first as written.
func (t *T) swap(s store.Store, guard []store.Note, set ...store.Note) store.Note {
	written, err := s.Swap(t.ctx, guard, set...)
	t.need(err, "swap "+set[0].Key)
	if len(written) != len(set) {
		t.Fatalf("swap of %d notes gave %d back", len(set), len(written))
	}
	for i, n := range written {
		if n.Key != set[i].Key {
			t.Fatalf("note %d came back as %q, want %q", i, n.Key, set[i].Key)
		}
		if set[i].Value == nil {
			continue
		}
		if n.Rev <= 0 || n.At.IsZero() || !sameJSON(n.Value, set[i].Value) {
			t.Fatalf("note %q came back with revision %d, time %v, value %.80q", n.Key, n.Rev, n.At, n.Value)
		}
	}
	return written[0]
}

// look gives all notes under the prefixes but the one of the format.
func (t *T) look(s store.Store, prefixes ...string) []store.Note {
	v, err := s.Look(t.ctx, prefixes...)
	t.need(err, "look")
	if v.Now.IsZero() {
		t.Fatalf("look gave no time")
	}
	return slices.DeleteFunc(v.Notes, func(n store.Note) bool { return n.Key == formatKey })
}

// at gives one note; ok is false if it is not there.
func (t *T) at(s store.Store, key string) (store.Note, bool) {
	for _, n := range t.look(s, key) {
		if n.Key == key {
			return n, true
		}
	}
	return store.Note{}, false
}

// wantValue checks the value of a note; "" wants it absent.
func (t *T) wantValue(s store.Store, key, want string) {
	n, ok := t.at(s, key)
	switch {
	case !ok && want != "":
		t.Errorf("note %q is not there, want %s", key, want)
	case ok && want == "":
		t.Errorf("note %q is there with %.80s, want none", key, n.Value)
	case ok && !sameJSON(n.Value, []byte(want)):
		t.Errorf("note %q is %.80s, want %s", key, n.Value, want)
	}
}

// wantKeys checks which notes are under the prefixes, in order.
func (t *T) wantKeys(s store.Store, want []string, prefixes ...string) {
	got := []string{}
	for _, n := range t.look(s, prefixes...) {
		got = append(got, n.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("look %q gives %q, want %q", prefixes, got, want)
	}
}

// wantConflict checks that the error is a conflict about this key.
func (t *T) wantConflict(err error, key string, guard bool) {
	conflict, ok := errors.AsType[*store.ConflictError](err)
	if !ok {
		t.Errorf("error %v, want a ConflictError about %q", err, key)
		return
	}
	if conflict.Key != key || conflict.Guard != guard {
		t.Errorf("conflict about %q (guard %t), want %q (guard %t)", conflict.Key, conflict.Guard, key, guard)
	}
}

// wantTags checks which tags were added, in order.
func (t *T) wantTags(want ...string) {
	// Looking is also needed after the case's own context was cancelled.
	got, err := t.Site.Tags(context.WithoutCancel(t.ctx))
	t.need(err, "read the tags")
	if len(got) != len(want) || (len(want) > 0 && !slices.Equal(got, want)) {
		t.Errorf("tags are %q, want %q", got, want)
	}
}

// wantTouches checks how often each row was touched.
func (t *T) wantTouches(want ...int) {
	got, err := t.Site.Touches(t.ctx)
	t.need(err, "read the rows")
	if len(got) != len(want) || (len(want) > 0 && !slices.Equal(got, want)) {
		t.Errorf("rows were touched %v times, want %v", got, want)
	}
}

func sameJSON(a, b []byte) bool {
	left, errLeft := decode(a)
	right, errRight := decode(b)
	return errLeft == nil && errRight == nil && reflect.DeepEqual(left, right)
}

// decode keeps numbers as they are written, so that a store that goes through
// floating point is found out.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

func times(value, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = value
	}
	return all
}
