package storetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/stopover-dev/stopover/store"
)

func proofCases() []Case {
	return []Case{
		{Name: "a Query counts everything, shows a sample, and changes nothing", Run: query},
		{Name: "a Query's notes are told what was found, under its guards", Run: queryRecorded},
		{Name: "a Proof that finds something stops the task", Run: proofStops},
		{Name: "a Proof that finds nothing lets the task pass", Run: proofPasses},
	}
}

func query(ctx context.Context, t *T) {
	s := t.seeded(30)
	for _, sample := range []int{0, 5, 100} {
		p, err := s.Do(ctx, store.Task{Action: t.Site.Untouched(), Sample: sample})
		t.need(err, "query")
		if !p.Done || p.Rows != 30 || len(p.Sample) != min(sample, 30) {
			t.Errorf("sample of %d: done %t, %d rows, %d lines, want all 30 rows", sample, p.Done, p.Rows, len(p.Sample))
		}
		lines := map[string]bool{}
		for _, line := range p.Sample {
			lines[line] = true
		}
		if len(lines) != len(p.Sample) || lines[""] {
			t.Errorf("the lines do not tell one row from another: %q", p.Sample)
		}
	}
	t.wantTouches(times(0, 30)...)
	t.wantTags()
	t.wantKeys(s, nil)
}

func queryRecorded(ctx context.Context, t *T) {
	s := t.seeded(4)
	guard := t.swap(s, nil, note("epoch", store.Absent, `1`))
	verify := store.Task{
		Action: t.Site.Untouched(), Guard: []store.Note{guard}, Sample: 2,
		Record: func(p store.Progress) []store.Note {
			return []store.Note{note("found", store.Any, fmt.Sprint(p.Rows))}
		},
	}
	_, err := s.Do(ctx, verify)
	t.need(err, "query")
	t.wantValue(s, "found", `4`)
	sweep(ctx, t, s, 10, nil)
	_, err = s.Do(ctx, verify)
	t.need(err, "query again")
	t.wantValue(s, "found", `0`)
	t.swap(s, nil, note("epoch", guard.Rev, `2`))
	t.swap(s, nil, note("found", store.Any, ""))
	_, err = s.Do(ctx, verify)
	t.wantConflict(err, "epoch", true)
	t.wantValue(s, "found", "")
}

func proofStops(ctx context.Context, t *T) {
	s := t.seeded(7)
	for name, action := range map[string]store.Action{"whole": t.Site.Add("a"), "stretched": t.Site.Touch()} {
		_, err := s.Do(ctx, store.Task{Action: action, Proof: t.Site.Untouched(), Size: 3, Sample: 2, Record: done("done")})
		found, ok := errors.AsType[*store.ViolationError](err)
		if !ok {
			t.Errorf("%s: error %v, want a ViolationError", name, err)
			continue
		}
		if found.Rows != 7 || len(found.Sample) != 2 {
			t.Errorf("%s: %d violations, sample %q, want 7 and two lines", name, found.Rows, found.Sample)
		}
	}
	t.wantTags()
	t.wantTouches(times(0, 7)...)
	t.wantKeys(s, nil)
}

func proofPasses(ctx context.Context, t *T) {
	s := t.seeded(3)
	sweep(ctx, t, s, 10, nil)
	p, err := s.Do(ctx, store.Task{Action: t.Site.Add("a"), Proof: t.Site.Untouched(), Sample: 2, Record: done("done")})
	t.need(err, "do with a proof")
	if !p.Done || len(p.Sample) != 0 {
		t.Errorf("progress %+v", p)
	}
	t.wantTags("a")
	t.wantValue(s, "done", `{"done":true}`)
}
