package storetest

import (
	"context"

	"github.com/stopover-dev/stopover/store"
)

func guardCases() []Case {
	return []Case{
		{Name: "a guard that stands lets a Swap pass and is not changed", Run: guardStands},
		{Name: "a guard that was changed, deleted or made anew refuses", Run: guardLost},
		{Name: "one of several guards is enough to refuse", Run: guardsSeveral},
		{Name: "a guard may say that a note is absent", Run: guardAbsent},
		{Name: "a Swap of guards alone says whether they stand", Run: guardsAlone},
	}
}

func guardStands(ctx context.Context, t *T) {
	s := t.prepared()
	epoch := t.swap(s, nil, note("epoch", store.Absent, `{"epoch":1}`))
	for i := range 3 {
		t.swap(s, []store.Note{epoch}, note("work", store.Any, `1`))
		if n, _ := t.at(s, "epoch"); n.Rev != epoch.Rev || !n.At.Equal(epoch.At) {
			t.Fatalf("round %d: the guard itself was changed", i)
		}
	}
	// A guard may be written by the same Swap: a takeover does.
	next := t.swap(s, []store.Note{epoch}, note("epoch", epoch.Rev, `{"epoch":2}`), note("lease", store.Absent, `{}`))
	_, err := s.Swap(ctx, []store.Note{epoch}, note("work", store.Any, `2`))
	t.wantConflict(err, "epoch", true)
	t.swap(s, []store.Note{next}, note("work", store.Any, `3`))
	t.wantValue(s, "work", `3`)
}

func guardLost(ctx context.Context, t *T) {
	s := t.prepared()
	guard := t.swap(s, nil, note("epoch", store.Absent, `1`))
	refused := func(when string) {
		_, err := s.Swap(ctx, []store.Note{guard}, note("work", store.Any, `1`))
		t.wantConflict(err, "epoch", true)
		if _, there := t.at(s, "work"); there {
			t.Errorf("with the guard %s the Swap was made", when)
		}
	}
	changed := t.swap(s, nil, note("epoch", guard.Rev, `1`))
	refused("changed")
	t.swap(s, nil, note("epoch", changed.Rev, ""))
	refused("deleted")
	t.swap(s, nil, note("epoch", store.Absent, `1`))
	refused("deleted and made anew")
}

func guardsSeveral(ctx context.Context, t *T) {
	s := t.prepared()
	a := t.swap(s, nil, note("a", store.Absent, `1`))
	b := t.swap(s, nil, note("b", store.Absent, `1`))
	t.swap(s, []store.Note{b, a}, note("work", store.Absent, `1`))
	t.swap(s, nil, note("b", b.Rev, `2`))
	for _, guards := range [][]store.Note{{a, b}, {b, a}} {
		_, err := s.Swap(ctx, guards, note("work", store.Any, `2`))
		t.wantConflict(err, "b", true)
	}
	t.wantValue(s, "work", `1`)
}

func guardAbsent(ctx context.Context, t *T) {
	s := t.prepared()
	none := store.Note{Key: "stop", Rev: store.Absent}
	t.swap(s, []store.Note{none}, note("work", store.Any, `1`))
	t.swap(s, nil, note("stop", store.Absent, `1`))
	_, err := s.Swap(ctx, []store.Note{none}, note("work", store.Any, `2`))
	t.wantConflict(err, "stop", true)
	t.wantValue(s, "work", `1`)
}

func guardsAlone(ctx context.Context, t *T) {
	s := t.prepared()
	a := t.swap(s, nil, note("a", store.Absent, `1`))
	if written, err := s.Swap(ctx, []store.Note{a}); err != nil || len(written) != 0 {
		t.Errorf("guards that stand: %d notes, error %v", len(written), err)
	}
	t.swap(s, nil, note("a", a.Rev, `2`))
	_, err := s.Swap(ctx, []store.Note{a})
	t.wantConflict(err, "a", true)
}
