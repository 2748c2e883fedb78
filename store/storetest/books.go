package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stopover-dev/stopover/store"
)

func bookCases() []Case {
	return []Case{
		{Name: "a store without books looks empty, and looking does not make them", Run: withoutBooks},
		{Name: "Prepare makes the books, and a second Prepare keeps the notes", Run: prepareTwice},
		{Name: "eight may call Prepare at once", Run: prepareAtOnce},
		{Name: "a survey tells an empty store from one with something in it", Run: surveyEvidence},
		{Name: "books of a newer format are refused by every call and not changed", Run: newerFormat},
	}
}

func withoutBooks(ctx context.Context, t *T) {
	s := t.handle()
	for range 2 {
		t.wantKeys(s, nil)
		t.wantKeys(s, nil, "ledger/")
		survey, err := s.Survey(ctx)
		t.need(err, "survey")
		if survey.Stamped {
			t.Errorf("a store without books says that it is stamped")
		}
		if !survey.Empty || len(survey.Evidence) > 0 {
			t.Errorf("an empty store gives the evidence %q", survey.Evidence)
		}
		if survey.Server == "" || survey.Place == "" {
			t.Errorf("server %q, place %q: want both", survey.Server, survey.Place)
		}
	}
}

func prepareTwice(ctx context.Context, t *T) {
	s := t.prepared()
	kept := t.swap(s, nil, note("kept", store.Absent, `{"a":1}`))
	t.need(s.Prepare(ctx), "prepare again")
	t.need(t.handle().Prepare(ctx), "prepare by another handle")
	if n, ok := t.at(s, "kept"); !ok || n.Rev != kept.Rev {
		t.Errorf("after Prepare the note is there: %t, revision %d, want %d", ok, n.Rev, kept.Rev)
	}
	next := t.swap(s, nil, note("next", store.Absent, `1`))
	if next.Rev <= kept.Rev {
		t.Errorf("revision %d after Prepare, want one above %d", next.Rev, kept.Rev)
	}
}

func prepareAtOnce(ctx context.Context, t *T) {
	handles := make([]store.Store, 8)
	for i := range handles {
		handles[i] = t.handle()
	}
	var all sync.WaitGroup
	for i, s := range handles {
		all.Go(func() {
			if err := s.Prepare(ctx); err != nil {
				t.Errorf("prepare %d: %v", i, err)
				return
			}
			if _, err := s.Swap(ctx, nil, note(fmt.Sprintf("by/%d", i), store.Absent, `1`)); err != nil {
				t.Errorf("swap %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if n := len(t.look(handles[0], "by/")); n != len(handles) {
		t.Errorf("%d notes, want %d: a Prepare took others' notes away", n, len(handles))
	}
}

func surveyEvidence(ctx context.Context, t *T) {
	s := t.prepared()
	t.swap(s, nil, note("a", store.Absent, `1`))
	survey, err := s.Survey(ctx)
	t.need(err, "survey")
	if !survey.Stamped || !survey.Empty {
		t.Errorf("with nothing but books: stamped %t, empty %t, evidence %q", survey.Stamped, survey.Empty, survey.Evidence)
	}
	t.need(t.Site.Seed(ctx, 3), "seed")
	survey, err = s.Survey(ctx)
	t.need(err, "survey")
	if survey.Empty || len(survey.Evidence) == 0 || len(survey.Evidence) > 20 {
		t.Errorf("with rows in it: empty %t, evidence %q", survey.Empty, survey.Evidence)
	}
	if survey.ReadOnly || len(survey.Missing) > 0 {
		t.Errorf("read only %t, missing rights %q, want none", survey.ReadOnly, survey.Missing)
	}
}

func newerFormat(ctx context.Context, t *T) {
	s := t.seeded(3)
	t.swap(s, nil, note("a", store.Absent, `1`))
	t.need(t.Site.MakeNewer(ctx), "make the books newer")
	for _, s := range []store.Store{s, t.handle()} {
		_, surveyErr := s.Survey(ctx)
		_, lookErr := s.Look(ctx)
		_, lookPrefixErr := s.Look(ctx, "a")
		_, swapErr := s.Swap(ctx, nil, note("b", store.Any, `2`))
		_, doErr := s.Do(ctx, store.Task{Action: t.Site.Add("x")})
		_, stretchErr := s.Do(ctx, store.Task{Action: t.Site.Touch(), Size: 2})
		_, queryErr := s.Do(ctx, store.Task{Action: t.Site.Untouched()})
		calls := map[string]error{
			"Survey": surveyErr, "Prepare": s.Prepare(ctx), "Look": lookErr, "Look with a prefix": lookPrefixErr,
			"Swap": swapErr, "Do": doErr, "Do of a stretch": stretchErr, "Do of a query": queryErr,
		}
		if batcher, ok := store.As[store.Batcher](s); ok {
			_, calls["DoAll"] = batcher.DoAll(ctx, []store.Task{{Action: t.Site.Add("y")}})
		}
		for call, err := range calls {
			newer, ok := errors.AsType[*store.NewerError](err)
			if !ok || newer.Found != store.Format+1 || newer.Known != store.Format {
				t.Errorf("%s answers %v, want a NewerError", call, err)
			}
		}
	}
	t.wantTags()
	t.wantTouches(0, 0, 0)
}
