package storetest

import (
	"context"
	"time"

	"github.com/stopover-dev/stopover/store"
)

func lookCases() []Case {
	return []Case{
		{Name: "Look orders by key and takes prefixes to the letter", Run: prefixes},
		{Name: "At is the last write on the store's clock, which goes forward", Run: clock},
	}
}

func prefixes(ctx context.Context, t *T) {
	s := t.prepared()
	// In the order of their bytes; written in another.
	all := []string{"A/1", "Ab", "a", "a%b", "a/", "a/1", "a/10", "a/2", "a0", "a\\b", "a_b", "ab", "axb", "b~", "b~~", "~"}
	for i := range all {
		t.swap(s, nil, note(all[(i*7)%len(all)], store.Absent, `1`))
	}
	t.wantKeys(s, all)
	for _, look := range []struct {
		prefixes []string
		want     []string
	}{
		{[]string{""}, all},
		{[]string{"a/"}, []string{"a/", "a/1", "a/10", "a/2"}},
		{[]string{"a/1"}, []string{"a/1", "a/10"}},
		{[]string{"a0"}, []string{"a0"}},
		{[]string{"a_"}, []string{"a_b"}},
		{[]string{"a%"}, []string{"a%b"}},
		{[]string{"a\\"}, []string{"a\\b"}},
		{[]string{"A"}, []string{"A/1", "Ab"}},
		{[]string{"b~"}, []string{"b~", "b~~"}},
		{[]string{"~"}, []string{"~"}},
		{[]string{"a/", "b"}, []string{"a/", "a/1", "a/10", "a/2", "b~", "b~~"}},
		{[]string{"b", "a/1", "a/", "a/"}, []string{"a/", "a/1", "a/10", "a/2", "b~", "b~~"}},
		{[]string{"nothing", "%", "_", "'"}, nil},
	} {
		t.wantKeys(s, look.want, look.prefixes...)
	}
}

func clock(ctx context.Context, t *T) {
	s := t.prepared()
	now := func() time.Time {
		v, err := s.Look(ctx, "none")
		t.need(err, "look")
		return v.Now
	}
	before := now()
	a := t.swap(s, nil, note("a", store.Absent, `1`))
	b := t.swap(s, nil, note("b", store.Absent, `1`))
	between := now()
	if a.At.Before(before) || b.At.Before(a.At) || between.Before(b.At) {
		t.Errorf("times go back: look %v, a %v, b %v, look %v", before, a.At, b.At, between)
	}
	// The clock is asked until it has moved: no length of a tick is assumed.
	for !now().After(between) {
		if ctx.Err() != nil {
			t.Fatalf("the store's clock stands still at %v", between)
		}
	}
	later := t.swap(s, nil, note("a", a.Rev, `1`))
	if !later.At.After(between) {
		t.Errorf("a write at %v after a look at %v", later.At, between)
	}
	readA, _ := t.at(s, "a")
	readB, _ := t.at(s, "b")
	if !readA.At.Equal(later.At) || !readB.At.Equal(b.At) {
		t.Errorf("a was written at %v and b at %v, Look says %v and %v", later.At, b.At, readA.At, readB.At)
	}
	if off := time.Since(now()); off > time.Hour || off < -time.Hour {
		t.Errorf("the store's clock is off by %v on one machine: a time zone?", off)
	}
}
