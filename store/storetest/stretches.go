package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/stopover-dev/stopover/store"
)

func stretchCases() []Case {
	return []Case{
		{Name: "stretches touch every row once, about Size at a time", Run: everyRowOnce},
		{Name: "without rows one stretch is done", Run: noRows},
		{Name: "the cursor is recorded with the rows that it stands for", Run: cursorRecorded},
		{Name: "another handle goes on from a recorded cursor", Run: resume},
		{Name: "a stretch that lost its guard leaves its rows to the next", Run: stretchFenced},
	}
}

// sweep does all stretches from a cursor and gives their progress.
func sweep(ctx context.Context, t *T, s store.Store, size int, cursor []byte) []store.Progress {
	var all []store.Progress
	for {
		p, err := s.Do(ctx, store.Task{Action: t.Site.Touch(), Size: size, Cursor: cursor})
		t.need(err, "do a stretch")
		all = append(all, p)
		if p.Done {
			return all
		}
		if len(p.Cursor) == 0 || bytes.Equal(p.Cursor, cursor) {
			t.Fatalf("stretch %d is not done, and its cursor went from %q to %q", len(all), cursor, p.Cursor)
		}
		if len(all) > 1000 {
			t.Fatalf("a thousand stretches without an end")
		}
		cursor = p.Cursor
	}
}

func everyRowOnce(ctx context.Context, t *T) {
	const rows = 25
	s := t.seeded(rows)
	for pass, size := range []int{1, 4, 5, 24, 25, 26, 1000} {
		stretches := sweep(ctx, t, s, size, nil)
		t.wantTouches(times(pass+1, rows)...)
		var sum int64
		for _, p := range stretches {
			if p.Rows > int64(2*size) {
				t.Errorf("size %d: a stretch of %d rows", size, p.Rows)
			}
			sum += p.Rows
		}
		if sum != rows {
			t.Errorf("size %d: the stretches count %d rows, want %d", size, sum, rows)
		}
		if fair := 2 * (rows/size + 2); len(stretches) > fair {
			t.Errorf("size %d: %d stretches, want at most %d", size, len(stretches), fair)
		}
	}
}

func noRows(ctx context.Context, t *T) {
	s := t.seeded(0)
	p, err := s.Do(ctx, store.Task{Action: t.Site.Touch(), Size: 5, Record: done("done")})
	t.need(err, "do")
	if !p.Done || p.Rows != 0 {
		t.Errorf("progress %+v, want done without rows", p)
	}
	t.wantValue(s, "done", `{"done":true}`)
}

func cursorRecorded(ctx context.Context, t *T) {
	const rows = 9
	s := t.seeded(rows)
	var cursor []byte
	touched := 0
	for {
		var recorded store.Progress
		p, err := s.Do(ctx, store.Task{
			Action: t.Site.Touch(), Size: 2, Cursor: cursor,
			Record: func(p store.Progress) []store.Note {
				recorded = p
				value, _ := json.Marshal(map[string]any{"cursor": p.Cursor, "done": p.Done})
				return []store.Note{note("cursor", store.Any, string(value))}
			},
		})
		t.need(err, "do a stretch")
		if recorded.Done != p.Done || !bytes.Equal(recorded.Cursor, p.Cursor) {
			t.Fatalf("recorded cursor %q, done %t; answered %q, %t", recorded.Cursor, recorded.Done, p.Cursor, p.Done)
		}
		if recorded.Rows != p.Rows && recorded.Rows != -1 {
			t.Errorf("recorded %d rows, answered %d", recorded.Rows, p.Rows)
		}
		var kept struct {
			Cursor []byte
			Done   bool
		}
		n, _ := t.at(s, "cursor")
		t.need(json.Unmarshal(n.Value, &kept), "read the cursor's note")
		if !bytes.Equal(kept.Cursor, p.Cursor) || kept.Done != p.Done {
			t.Fatalf("the note says cursor %q, done %t; answered %q, %t", kept.Cursor, kept.Done, p.Cursor, p.Done)
		}
		// What the cursor stands for is what has been touched, no more or less.
		touched += int(p.Rows)
		t.wantTouches(append(times(1, touched), times(0, rows-touched)...)...)
		if p.Done {
			break
		}
		cursor = p.Cursor
	}
}

func resume(ctx context.Context, t *T) {
	const rows = 11
	s := t.seeded(rows)
	var cursor []byte
	for range 2 {
		p, err := s.Do(ctx, store.Task{Action: t.Site.Touch(), Size: 3, Cursor: cursor})
		t.need(err, "do a stretch")
		cursor = p.Cursor
	}
	// A cursor that went through a note is text, and lives longer than the
	// handle that made it.
	kept := append([]byte(nil), cursor...)
	rest := sweep(ctx, t, t.handle(), 4, kept)
	t.wantTouches(times(1, rows)...)
	if len(rest) > rows {
		t.Errorf("%d stretches for the rest", len(rest))
	}
	if !bytes.Equal(kept, cursor) {
		t.Errorf("the task's cursor was changed in place")
	}
}

func stretchFenced(ctx context.Context, t *T) {
	const rows = 6
	s := t.seeded(rows)
	guard := t.swap(s, nil, note("epoch", store.Absent, `1`))
	p, err := s.Do(ctx, store.Task{Action: t.Site.Touch(), Size: 2, Guard: []store.Note{guard}})
	t.need(err, "do a stretch")
	t.swap(s, nil, note("epoch", guard.Rev, `2`))
	_, err = s.Do(ctx, store.Task{Action: t.Site.Touch(), Size: 2, Cursor: p.Cursor, Guard: []store.Note{guard}, Record: done("done")})
	if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || !conflict.Guard {
		t.Errorf("error %v, want a lost guard", err)
	}
	t.wantTouches(append(times(1, int(p.Rows)), times(0, rows-int(p.Rows))...)...)
	t.wantValue(s, "done", "")
	sweep(ctx, t, s, 2, p.Cursor)
	t.wantTouches(times(1, rows)...)
}
