package book

import (
	"strings"
	"testing"

	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

func TestSpansHaveNotesOfTheirOwn(t *testing.T) {
	s, _ := newStore(t)
	cursor := Cursor{Migration: "0042_a/b", Kind: plan.Backfill, Rows: 5, Total: 1000, Parts: 12}
	for n := range 12 {
		cursor.Spans = append(cursor.Spans, Span{Number: n, From: []byte{byte('a' + n)}, Rows: int64(n), Seen: 10, Ended: n == 0})
	}
	if _, err := s.Swap(t.Context(), nil, cursor.Notes()...); err != nil {
		t.Fatal(err)
	}
	state, err := Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	got := state.Cursors[Step{"0042_a/b", plan.Backfill}]
	if len(got.Spans) != 12 || got.Parts != 12 || string(got.Spans[11].From) != "l" || got.Spans[2].Number != 2 {
		t.Fatalf("read %+v", got)
	}
	if got.Changed() != 71 || got.Seen() != 126 || !strings.HasPrefix(got.Reached(), "1 of 12 spans") {
		t.Errorf("changed %d, gone through %d, %q", got.Changed(), got.Seen(), got.Reached())
	}
	view, err := s.Look(t.Context(), cursor.SpanKey(1)) // and 10 and 11 with it
	if err != nil {
		t.Fatal(err)
	}
	if span, found, err := cursor.ReadSpan(view, 1); err != nil || !found || span.Rows != 1 || span.Number != 1 {
		t.Errorf("span 1: %+v, %v, %v", span, found, err)
	}
	if _, err := s.Swap(t.Context(), nil, got.AllGone()...); err != nil {
		t.Fatal(err)
	}
	if view, err = s.Look(t.Context(), "cursor/"); err != nil || len(view.Notes) != 0 {
		t.Errorf("%d notes are left, %v", len(view.Notes), err)
	}
}

func TestSpanWithoutItsCursorIsDamage(t *testing.T) {
	s, _ := newStore(t)
	if _, err := s.Swap(t.Context(), nil, store.Note{Key: "cursor/0001_a/backfill/3", Value: []byte(`{}`), Rev: store.Any}); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), s); err == nil || !strings.Contains(err.Error(), "cursor/0001_a/backfill/3") {
		t.Errorf("error %v", err)
	}
}

func TestControlIsChangedWithoutTheLease(t *testing.T) {
	s, _ := newStore(t)
	if control, err := ReadControl(t.Context(), s); control != nil || err != nil {
		t.Fatalf("there is a control: %+v, %v", control, err)
	}
	tries := 0
	set, err := SetControl(t.Context(), s, func(c Control) Control {
		if tries++; tries == 1 { // somebody else is faster
			if _, err := SetControl(t.Context(), s, func(c Control) Control { c.Rate, c.Who = 7, "bob"; return c }); err != nil {
				t.Fatal(err)
			}
		}
		c.Paused, c.Who = true, "ana"
		return c
	})
	if err != nil || !set.Paused || set.Rate != 7 || set.Who != "ana" || set.Since.IsZero() {
		t.Fatalf("set %+v, %v", set, err)
	}
	if control, err := ReadControl(t.Context(), s); err != nil || control == nil || *control != set {
		t.Errorf("read %+v, %v", control, err)
	}
	if _, err := SetControl(t.Context(), s, func(Control) Control { return Control{Who: "ana"} }); err != nil {
		t.Fatal(err)
	}
	if control, err := ReadControl(t.Context(), s); control != nil || err != nil {
		t.Errorf("what asks for nothing is still there: %+v, %v", control, err)
	}
}
