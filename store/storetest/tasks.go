package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stopover-dev/stopover/store"
)

func taskCases() []Case {
	return []Case{
		{Name: "a task's work and its notes appear together", Run: together},
		{Name: "a task needs neither guard nor notes", Run: bareTask},
		{Name: "a failing statement leaves neither work nor notes", Run: failing},
		{Name: "a lost guard leaves neither work nor notes", Run: guardOfTask},
		{Name: "a note in conflict leaves no work", Run: noteInConflict},
		{Name: "Only performs one statement", Run: only},
	}
}

// done gives a Record that writes one note with what it was told.
func done(key string) func(store.Progress) []store.Note {
	return func(p store.Progress) []store.Note {
		return []store.Note{note(key, store.Absent, fmt.Sprintf(`{"done":%t}`, p.Done))}
	}
}

func together(ctx context.Context, t *T) {
	s := t.seeded(0)
	guard := t.swap(s, nil, note("epoch", store.Absent, `1`))
	p, err := s.Do(ctx, store.Task{
		Action: t.Site.Add("a", "b"), Guard: []store.Note{guard},
		Record: func(p store.Progress) []store.Note {
			return append(done("done/1")(p), note("done/2", store.Any, `2`), note("none", store.Any, ""))
		},
	})
	t.need(err, "do")
	if !p.Done || p.Cursor != nil || p.Took < 0 {
		t.Errorf("progress %+v, want done and no cursor", p)
	}
	t.wantTags("a", "b")
	t.wantValue(s, "done/1", `{"done":true}`)
	t.wantValue(s, "done/2", `2`)
	other := t.handle()
	t.wantKeys(other, []string{"done/1", "done/2"}, "done/")
	if n, _ := t.at(other, "epoch"); n.Rev != guard.Rev {
		t.Errorf("the guard went from revision %d to %d", guard.Rev, n.Rev)
	}
}

func bareTask(ctx context.Context, t *T) {
	s := t.seeded(0)
	_, err := s.Do(ctx, store.Task{Action: t.Site.Add("a")})
	t.need(err, "do")
	_, err = s.Do(ctx, store.Task{Action: t.Site.Add("b"), Session: "stopover/suite/1", Wait: time.Second, Timeout: 10 * time.Second})
	t.need(err, "do with settings")
	t.wantTags("a", "b")
	t.wantKeys(s, nil)
}

func failing(ctx context.Context, t *T) {
	s := t.seeded(0)
	action := t.Site.Fail("a", "b")
	_, err := s.Do(ctx, store.Task{Action: action, Record: done("done")})
	failed, ok := errors.AsType[*store.StatementError](err)
	if !ok {
		t.Fatalf("error %v, want a StatementError", err)
	}
	if want := len(action.Statements()); failed.Statement != want || failed.Message == "" {
		t.Errorf("statement %d failed with %q, want statement %d", failed.Statement, failed.Message, want)
	}
	t.wantTags()
	t.wantValue(s, "done", "")
	_, err = s.Do(ctx, store.Task{Action: t.Site.Add("c"), Record: done("done")})
	t.need(err, "do after a failure")
	t.wantTags("c")
}

func guardOfTask(ctx context.Context, t *T) {
	s := t.seeded(0)
	old := t.swap(s, nil, note("epoch", store.Absent, `1`))
	other := t.swap(s, nil, note("floor", store.Absent, `1`))
	refused := func(guards ...store.Note) {
		_, err := s.Do(ctx, store.Task{Action: t.Site.Add("a"), Guard: guards, Record: done("done")})
		t.wantConflict(err, "epoch", true)
		t.wantTags()
		t.wantValue(s, "done", "")
	}
	now := t.swap(s, nil, note("epoch", old.Rev, `2`))
	refused(old)
	refused(other, old)
	t.swap(s, nil, note("epoch", now.Rev, ""))
	refused(now)
	t.swap(s, nil, note("epoch", store.Absent, `1`))
	refused(old)
	refused(now, other)
}

func noteInConflict(ctx context.Context, t *T) {
	s := t.seeded(0)
	t.swap(s, nil, note("done", store.Absent, `"before"`))
	_, err := s.Do(ctx, store.Task{Action: t.Site.Add("a"), Record: func(p store.Progress) []store.Note {
		return append([]store.Note{note("first", store.Absent, `1`)}, done("done")(p)...)
	}})
	t.wantConflict(err, "done", false)
	t.wantTags()
	t.wantValue(s, "done", `"before"`)
	t.wantValue(s, "first", "")
}

func only(ctx context.Context, t *T) {
	s := t.seeded(0)
	action := t.Site.Add("a", "b", "c")
	n := len(action.Statements())
	if n != 3 {
		return // an action in Go has one statement
	}
	_, err := s.Do(ctx, store.Task{Action: action, Only: 2, Record: done("done/2")})
	t.need(err, "do the second statement")
	t.wantTags("b")
	t.wantKeys(s, []string{"done/2"})
	_, err = s.Do(ctx, store.Task{Action: action, Only: 1})
	t.need(err, "do the first statement")
	t.wantTags("b", "a")
	if _, err := s.Do(ctx, store.Task{Action: action, Only: n + 1, Record: done("done/4")}); err == nil {
		t.Errorf("a statement that does not exist was performed")
	}
	if _, err := s.Do(ctx, store.Task{Action: action, Only: -1, Record: done("done/4")}); err == nil {
		t.Errorf("a statement with a number below one was performed")
	}
	failing := t.Site.Fail("d")
	_, err = s.Do(ctx, store.Task{Action: failing, Only: len(failing.Statements())})
	failed, ok := errors.AsType[*store.StatementError](err)
	if !ok || failed.Statement != len(failing.Statements()) {
		t.Errorf("error %v, want a StatementError of statement %d", err, len(failing.Statements()))
	}
	t.wantTags("b", "a")
	t.wantKeys(s, []string{"done/2"})
}
