package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stopover-dev/stopover/store"
)

func abilityCases() []Case {
	return []Case{
		{Name: "Batcher: all tasks in order, each with its notes", Run: batch},
		{Name: "Batcher: a task that fails stops those after it, those before it stay", Run: batchFails},
		{Name: "Batcher: a lost guard or a conflict stops in the same way", Run: batchRefused},
		{Name: "Inspector: a statement alone is missing before and not after", Run: inspect},
		{Name: "Lister: a session at work is listed by its name and can be ended", Deadline: 40 * time.Second, Run: sessions},
		{Name: "Describer: tells structures apart and leaves out the books", Run: describe},
		{Name: "Estimator: foresees without changing anything", Run: estimate},
	}
}

func add(t *T, tag string, guard ...store.Note) store.Task {
	return store.Task{Action: t.Site.Add(tag), Guard: guard, Record: done("done/" + tag)}
}

func batch(ctx context.Context, t *T) {
	s := t.seeded(0)
	batcher, ok := store.As[store.Batcher](s)
	if !ok {
		return
	}
	guard := t.swap(s, nil, note("epoch", store.Absent, `1`))
	none, err := batcher.DoAll(ctx, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("no tasks: %d answers, error %v", len(none), err)
	}
	var tasks []store.Task
	var tags, keys []string
	for i := range 25 {
		tags = append(tags, fmt.Sprintf("%02d", i))
		keys = append(keys, "done/"+tags[i])
		tasks = append(tasks, add(t, tags[i], guard))
	}
	all, err := batcher.DoAll(ctx, tasks)
	t.need(err, "do all")
	if len(all) != len(tasks) || slices.ContainsFunc(all, func(p store.Progress) bool { return !p.Done }) {
		t.Errorf("%d answers for %d tasks: %+v", len(all), len(tasks), all)
	}
	t.wantTags(tags...)
	t.wantKeys(s, keys, "done/")
}

func batchFails(ctx context.Context, t *T) {
	s := t.seeded(0)
	batcher, ok := store.As[store.Batcher](s)
	if !ok {
		return
	}
	tasks := []store.Task{add(t, "a"), add(t, "b"), add(t, "c"), add(t, "d")}
	tasks[2].Action = t.Site.Fail("c")
	all, err := batcher.DoAll(ctx, tasks)
	if failed, ok := errors.AsType[*store.StatementError](err); !ok || failed.Statement != len(tasks[2].Action.Statements()) {
		t.Errorf("error %v, want the StatementError of the third task", err)
	}
	if len(all) != 2 {
		t.Errorf("%d answers, want 2", len(all))
	}
	t.wantTags("a", "b")
	t.wantKeys(s, []string{"done/a", "done/b"})
}

func batchRefused(ctx context.Context, t *T) {
	s := t.seeded(0)
	batcher, ok := store.As[store.Batcher](s)
	if !ok {
		return
	}
	old := t.swap(s, nil, note("epoch", store.Absent, `1`))
	now := t.swap(s, nil, note("epoch", old.Rev, `2`))
	all, err := batcher.DoAll(ctx, []store.Task{add(t, "a", now), add(t, "b", old), add(t, "c", now)})
	t.wantConflict(err, "epoch", true)
	if len(all) != 1 {
		t.Errorf("%d answers, want 1", len(all))
	}
	all, err = batcher.DoAll(ctx, []store.Task{add(t, "d", now), add(t, "a", now), add(t, "e", now)})
	t.wantConflict(err, "done/a", false)
	if len(all) != 1 {
		t.Errorf("%d answers, want 1", len(all))
	}
	t.wantTags("a", "d")
	t.wantKeys(s, []string{"done/a", "done/d"}, "done/")
}

func inspect(ctx context.Context, t *T) {
	s := t.seeded(5)
	inspector, ok := store.As[store.Inspector](s)
	aloner, can := t.Site.(Aloner)
	if !ok || !can {
		return
	}
	action := aloner.Alone()
	if statements := action.Statements(); len(statements) != 1 || !statements[0].Alone {
		t.Fatalf("the site's action is not one statement alone: %+v", statements)
	}
	before, err := inspector.Inspect(ctx, action, 1)
	t.need(err, "inspect")
	if before.State != store.Missing {
		t.Errorf("before: state %d because %q, want Missing", before.State, before.Because)
	}
	guard := t.swap(s, nil, note("epoch", store.Absent, `1`))
	task := store.Task{Action: action, Only: 1, Guard: []store.Note{guard}, Record: done("done")}
	t.swap(s, nil, note("epoch", guard.Rev, `2`))
	_, err = s.Do(ctx, task)
	t.wantConflict(err, "epoch", true)
	again, err := inspector.Inspect(ctx, action, 1)
	t.need(err, "inspect")
	if again.State != store.Missing {
		t.Errorf("after a refusal: state %d because %q, want Missing", again.State, again.Because)
	}
	task.Guard = nil
	_, err = s.Do(ctx, task)
	t.need(err, "do the statement alone")
	t.wantValue(s, "done", "") // the caller records
	after, err := inspector.Inspect(ctx, action, 1)
	t.need(err, "inspect")
	if after.State != store.Complete {
		t.Errorf("after: state %d because %q, want Complete", after.State, after.Because)
	}
}

func sessions(ctx context.Context, t *T) {
	s := t.seeded(0)
	lister, ok := store.As[store.Lister](s)
	if !ok {
		return
	}
	const name = "stopover/suite/17"
	worker := t.handle()
	ended := make(chan error, 1)
	go func() {
		_, err := worker.Do(ctx, store.Task{Action: t.Site.Slow("a"), Session: name, Record: done("done")})
		ended <- err
	}()
	found := t.session(ctx, lister, name)
	if found.ID == "" || found.Since.IsZero() || found.Busy.IsZero() {
		t.Errorf("the session at work is listed as %+v", found)
	}
	t.need(lister.End(ctx, found), "end the session")
	all, err := lister.Sessions(ctx)
	t.need(err, "list sessions")
	if err := <-ended; err == nil {
		t.Errorf("the task of a session that was ended succeeded")
	}
	if slices.ContainsFunc(all, func(s store.Session) bool { return s.ID == found.ID && s.Name == name }) {
		t.Errorf("the session is listed after its end")
	}
	t.need(lister.End(ctx, found), "end it once more")
	t.wantTags()
	t.wantValue(s, "done", "")
	t.need(s.Prepare(ctx), "go on after the end")
}

// session waits until the session with this name is at work.
func (t *T) session(ctx context.Context, lister store.Lister, name string) store.Session {
	for {
		all, err := lister.Sessions(ctx)
		t.need(err, "list sessions")
		i := slices.IndexFunc(all, func(s store.Session) bool { return s.Name == name })
		if i >= 0 {
			return all[i]
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no session is called %q: %+v", name, all)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func describe(ctx context.Context, t *T) {
	s := t.handle()
	describer, ok := store.As[store.Describer](s)
	if !ok {
		return
	}
	look := func() []string {
		lines, err := describer.Describe(ctx)
		t.need(err, "describe")
		return lines
	}
	if lines := look(); len(lines) != 0 {
		t.Errorf("an empty store is described as %q", lines)
	}
	t.need(s.Prepare(ctx), "prepare")
	t.swap(s, nil, note("a", store.Absent, `1`))
	if lines := look(); len(lines) != 0 {
		t.Errorf("the books are described: %q", lines)
	}
	t.need(t.Site.Seed(ctx, 2), "seed")
	seeded := look()
	if len(seeded) < 2 {
		t.Errorf("two collections are described as %q", seeded)
	}
	sweep(ctx, t, s, 5, nil)
	if again := look(); !slices.Equal(again, seeded) {
		t.Errorf("data changed, and the description went from %q to %q", seeded, again)
	}
}

func estimate(ctx context.Context, t *T) {
	s := t.seeded(12)
	estimator, ok := store.As[store.Estimator](s)
	if !ok {
		return
	}
	for _, action := range []store.Action{t.Site.Touch(), t.Site.Add("a"), t.Site.Untouched()} {
		e, err := estimator.Estimate(ctx, action)
		t.need(err, "estimate")
		if e.Rows < 0 || e.Bytes < 0 {
			t.Errorf("estimate %+v", e)
		}
	}
	t.wantTags()
	t.wantTouches(times(0, 12)...)
}
