package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/stopover-dev/stopover/store"
)

func endCases() []Case {
	return []Case{
		{Name: "a task cancelled in the middle leaves nothing", Deadline: 40 * time.Second, Run: cancelled},
		{Name: "a context that has ended changes nothing", Run: endedContext},
		{Name: "Timeout ends a long statement and leaves nothing", Deadline: 40 * time.Second, Run: timedOut},
		{Name: "a lock is waited for no longer than Wait", Deadline: 40 * time.Second, Run: locked},
		{Name: "a closed store answers every call with an error", Run: closed},
	}
}

// promptly is how long an end may take that should take no time at all.
const promptly = 10 * time.Second

func cancelled(ctx context.Context, t *T) {
	s := t.seeded(0)
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(150*time.Millisecond, cancel)
	begun := time.Now()
	_, err := s.Do(inner, store.Task{Action: t.Site.Slow("a"), Record: done("done")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that is context.Canceled", err)
	}
	if took := time.Since(begun); took > promptly {
		t.Errorf("the task ended only after %s", took)
	}
	t.wantTags()
	t.wantValue(s, "done", "")
	_, err = s.Do(ctx, store.Task{Action: t.Site.Add("b"), Record: done("done")})
	t.need(err, "do after a cancelled task")
	t.wantTags("b")
}

func endedContext(ctx context.Context, t *T) {
	s := t.seeded(2)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, lookErr := s.Look(ended)
	_, surveyErr := s.Survey(ended)
	_, swapErr := s.Swap(ended, nil, note("a", store.Any, `1`))
	_, doErr := s.Do(ended, store.Task{Action: t.Site.Add("a"), Record: done("done")})
	_, stretchErr := s.Do(ended, store.Task{Action: t.Site.Touch(), Size: 1})
	for call, err := range map[string]error{
		"Look": lookErr, "Survey": surveyErr, "Prepare": s.Prepare(ended),
		"Swap": swapErr, "Do": doErr, "Do of a stretch": stretchErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s answers %v, want context.Canceled", call, err)
		}
	}
	t.wantTags()
	t.wantTouches(0, 0)
	t.wantKeys(s, nil)
}

func timedOut(ctx context.Context, t *T) {
	s := t.seeded(0)
	begun := time.Now()
	_, err := s.Do(ctx, store.Task{Action: t.Site.Slow("a"), Timeout: 200 * time.Millisecond, Record: done("done")})
	if failed, ok := errors.AsType[*store.StatementError](err); !ok || failed.Statement < 1 {
		t.Errorf("error %v, want a StatementError", err)
	}
	if took := time.Since(begun); took > promptly {
		t.Errorf("the task ended only after %s", took)
	}
	t.wantTags()
	t.wantValue(s, "done", "")
}

func locked(ctx context.Context, t *T) {
	blocker, ok := t.Site.(Blocker)
	if !ok {
		return
	}
	s := t.seeded(0)
	release, err := blocker.Block(ctx)
	t.need(err, "take a lock")
	begun := time.Now()
	_, err = s.Do(ctx, store.Task{Action: t.Site.Add("a"), Wait: 300 * time.Millisecond, Record: done("done")})
	took := time.Since(begun)
	release()
	lock, ok := errors.AsType[*store.LockedError](err)
	if !ok {
		t.Fatalf("error %v, want a LockedError", err)
	}
	if lock.Waited <= 0 || took < 200*time.Millisecond || took > promptly {
		t.Errorf("waited %s, the error says %s, want about 300 ms", took, lock.Waited)
	}
	t.wantTags()
	t.wantValue(s, "done", "")
	_, err = s.Do(ctx, store.Task{Action: t.Site.Add("b"), Wait: 5 * time.Second})
	t.need(err, "do with the lock given back")
	t.wantTags("b")
}

func closed(ctx context.Context, t *T) {
	t.seeded(1)
	s, err := t.Site.Open(ctx)
	t.need(err, "open")
	_, err = s.Look(ctx)
	t.need(err, "look")
	t.need(s.Close(), "close")
	_, surveyErr := s.Survey(ctx)
	_, lookErr := s.Look(ctx)
	_, swapErr := s.Swap(ctx, nil, note("a", store.Any, `1`))
	_, doErr := s.Do(ctx, store.Task{Action: t.Site.Add("a")})
	for call, err := range map[string]error{
		"Survey": surveyErr, "Prepare": s.Prepare(ctx), "Look": lookErr, "Swap": swapErr, "Do": doErr,
	} {
		if err == nil {
			t.Errorf("%s of a closed store answers without an error", call)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	t.wantTags()
}
