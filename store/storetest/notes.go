package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

func noteCases() []Case {
	return []Case{
		{Name: "a note is created, changed and deleted", Run: noteLife},
		{Name: "Absent refuses a note that exists", Run: absentConflict},
		{Name: "an old revision is refused and changes nothing", Run: oldRevision},
		{Name: "Any writes and deletes whatever stands", Run: anyRevision},
		{Name: "a revision is never used twice, also after a deletion", Run: revisionsNeverReused},
		{Name: "Swap writes all notes or none, and names the one in conflict", Run: allOrNothing},
		{Name: "large and foreign values come back as they were", Run: values},
		{Name: "two handles see each other's notes at once", Run: twoHandles},
	}
}

func noteLife(ctx context.Context, t *T) {
	s := t.prepared()
	first := t.swap(s, nil, note("ledger/0001_a/expand", store.Absent, `{"by":"ana"}`))
	t.wantValue(s, "ledger/0001_a/expand", `{"by":"ana"}`)
	second := t.swap(s, nil, note("ledger/0001_a/expand", first.Rev, `{"by":"bo"}`))
	if second.Rev <= first.Rev {
		t.Errorf("a change took revision %d to %d", first.Rev, second.Rev)
	}
	read, _ := t.at(s, "ledger/0001_a/expand")
	if read.Rev != second.Rev || !read.At.Equal(second.At) {
		t.Errorf("Swap says revision %d at %v, Look says %d at %v", second.Rev, second.At, read.Rev, read.At)
	}
	t.wantValue(s, "ledger/0001_a/expand", `{"by":"bo"}`)
	t.swap(s, nil, note("ledger/0001_a/expand", second.Rev, ""))
	t.wantValue(s, "ledger/0001_a/expand", "")
	t.wantKeys(s, nil)
}

func absentConflict(ctx context.Context, t *T) {
	s := t.prepared()
	t.swap(s, nil, note("a", store.Absent, `1`))
	_, err := s.Swap(ctx, nil, note("a", store.Absent, `2`))
	t.wantConflict(err, "a", false)
	t.wantValue(s, "a", `1`)
	_, err = s.Swap(ctx, nil, note("never", 7, `2`))
	t.wantConflict(err, "never", false)
	_, err = s.Swap(ctx, nil, note("never", 7, ""))
	t.wantConflict(err, "never", false)
	t.wantKeys(s, []string{"a"})
}

func oldRevision(ctx context.Context, t *T) {
	s := t.prepared()
	old := t.swap(s, nil, note("a", store.Absent, `1`))
	now := t.swap(s, nil, note("a", old.Rev, `2`))
	_, err := s.Swap(ctx, nil, note("a", old.Rev, `3`))
	t.wantConflict(err, "a", false)
	_, err = s.Swap(ctx, nil, note("a", old.Rev, ""))
	t.wantConflict(err, "a", false)
	read, ok := t.at(s, "a")
	if !ok || read.Rev != now.Rev || !read.At.Equal(now.At) {
		t.Errorf("after refusals the note is %t at revision %d, want %d", ok, read.Rev, now.Rev)
	}
	t.wantValue(s, "a", `2`)
}

func anyRevision(ctx context.Context, t *T) {
	s := t.prepared()
	t.swap(s, nil, note("a", store.Any, `1`))
	t.swap(s, nil, note("a", store.Any, `2`))
	t.wantValue(s, "a", `2`)
	t.swap(s, nil, note("a", store.Any, ""))
	t.swap(s, nil, note("a", store.Any, ""))
	t.wantKeys(s, nil)
}

func revisionsNeverReused(ctx context.Context, t *T) {
	s := t.prepared()
	seen := map[int64]string{}
	var last int64
	write := func(s store.Store, n store.Note) store.Note {
		written := t.swap(s, nil, n)
		if n.Value == nil {
			return written
		}
		if where, twice := seen[written.Rev]; twice {
			t.Errorf("revision %d was given to %s and to %s", written.Rev, where, n.Key)
		}
		seen[written.Rev] = n.Key
		last = max(last, written.Rev)
		return written
	}
	for i := range 5 {
		a := write(s, note("a", store.Absent, `1`))
		write(s, note(fmt.Sprintf("b/%d", i), store.Absent, `1`))
		write(s, note("a", a.Rev, ""))
	}
	a := write(s, note("a", store.Absent, `1`))
	t.swap(s, nil, note("a", a.Rev, ""))
	// The highest revision belongs to a note that is gone: another handle
	// must not start from those that are left.
	again := write(t.handle(), note("a", store.Absent, `1`))
	if again.Rev <= a.Rev {
		t.Errorf("after a deletion another handle gave revision %d, want one above %d", again.Rev, a.Rev)
	}
	_, err := s.Swap(ctx, nil, note("a", a.Rev, `2`))
	t.wantConflict(err, "a", false)
}

func allOrNothing(ctx context.Context, t *T) {
	s := t.prepared()
	b := t.swap(s, nil, note("b", store.Absent, `1`))
	d := t.swap(s, nil, note("d", store.Absent, `1`))
	for _, set := range [][]store.Note{
		{note("a", store.Absent, `2`), note("d", d.Rev, ""), note("b", store.Absent, `2`)},
		{note("b", store.Absent, `2`), note("a", store.Any, `2`), note("d", d.Rev, `2`)},
		{note("d", d.Rev, `2`), note("b", b.Rev+100, ""), note("c", store.Absent, `2`)},
	} {
		_, err := s.Swap(ctx, nil, set...)
		t.wantConflict(err, "b", false)
		t.wantKeys(s, []string{"b", "d"})
		t.wantValue(s, "d", `1`)
	}
	written, err := s.Swap(ctx, nil, note("a", store.Absent, `3`), note("b", b.Rev, ""), note("d", d.Rev, `3`), note("c", store.Any, `3`))
	t.need(err, "swap four notes")
	if len(written) == 4 && (written[0].Rev == written[2].Rev || written[2].Rev == written[3].Rev) {
		t.Errorf("notes of one Swap share a revision: %d, %d, %d", written[0].Rev, written[2].Rev, written[3].Rev)
	}
	t.wantKeys(s, []string{"a", "c", "d"})
	for _, key := range []string{"a", "c", "d"} {
		t.wantValue(s, key, `3`)
	}
}

func values(ctx context.Context, t *T) {
	s := t.prepared()
	texts := []string{
		`{"text":"Zugvögel 候鳥 🪿 \" \\ ' % _ $1 ? :name"}`,
		`{"number":9007199254740993,"small":0.1,"list":[1,null,true,{}],"empty":""}`,
		`"text alone"`, `12`, `true`, `[]`, `{}`,
		`{"large":"` + strings.Repeat("é", 1<<19) + `"}`,
	}
	for i, text := range texts {
		key := fmt.Sprintf("value/%d", i)
		t.swap(s, nil, note(key, store.Absent, text))
		t.wantValue(s, key, text)
	}
	if n := len(t.look(t.handle(), "value/")); n != len(texts) {
		t.Errorf("another handle sees %d values, want %d", n, len(texts))
	}
}

func twoHandles(ctx context.Context, t *T) {
	a, b := t.prepared(), t.handle()
	rev := store.Absent
	for i := range 10 {
		writer, reader := a, b
		if i%2 == 1 {
			writer, reader = b, a
		}
		value := fmt.Sprintf(`{"round":%d}`, i)
		rev = t.swap(writer, nil, note("shared", rev, value)).Rev
		t.wantValue(reader, "shared", value)
	}
	keys := []string{}
	for _, n := range t.look(a) {
		keys = append(keys, n.Key)
	}
	if !slices.Equal(keys, []string{"shared"}) {
		t.Errorf("notes are %q", keys)
	}
}
