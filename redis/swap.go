package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Swap writes all notes of set or none.
func (s *Store) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	done, err := s.perform(ctx, call{guard: guard, set: set})
	if err != nil {
		return nil, err
	}
	notes := slices.Clone(set)
	for i := range notes {
		notes[i].Rev, notes[i].At = done.revs[i], done.at
	}
	return notes, nil
}

// call is what work.lua is asked to do.
type call struct {
	guard, set []store.Note
	proof      *inLua // nil: none
	sample     int
	work       string // Lua; "": none
	keys       []string
	args       []string
	timeout    time.Duration
}

// done is what it did.
type done struct {
	at   time.Time
	revs []int64 // of the notes written
	rows int64   // what the work gave; -1: nothing
}

// perform does all of a call or nothing.
func (s *Store) perform(ctx context.Context, c call) (done, error) {
	if err := wellFormed(c.set); err != nil {
		return done{}, err
	}
	number := rand.Text()
	t := trip{keys: []string{s.books}, limit: replyLimit}
	t.args = noteArgs(number, c)
	proof := ""
	if c.proof != nil {
		proof = c.proof.lua
		t.keys = append(t.keys, s.fulls(c.proof.keys)...)
		t.args = append(t.args, len(c.proof.keys), c.sample, len(c.proof.args))
		t.args = append(t.args, texts(c.proof.args)...)
	}
	if c.work != "" {
		t.keys = append(t.keys, s.fulls(c.keys)...)
		t.args = append(t.args, len(c.keys), len(c.args))
		t.args = append(t.args, texts(c.args)...)
	}
	if proof+c.work != "" {
		t.limit = workLimit
	}
	if c.timeout > 0 {
		t.limit = c.timeout + replyLimit
	}
	if err := s.together(t.keys); err != nil {
		return done{}, err
	}
	t.script = compose(c.work, proof, workLua)
	answer, err := s.send(ctx, t, number)
	if err != nil {
		return done{}, err
	}
	return s.outcome(answer, store.Task{Timeout: c.timeout})
}

// noteArgs gives the arguments up to the time.
func noteArgs(number string, c call) []any {
	args := append([]any{store.Format, number}, guardArgs(c.guard)...)
	args = append(args, len(c.set))
	for _, note := range c.set {
		stays := "1"
		if note.Value == nil {
			stays = "0"
		}
		args = append(args, note.Key, note.Rev, stays, note.Value)
	}
	return append(args, seconds(c.timeout))
}

func guardArgs(guard []store.Note) []any {
	args := []any{len(guard)}
	for _, note := range guard {
		args = append(args, note.Key, note.Rev)
	}
	return args
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

func wellFormed(set []store.Note) error {
	seen := make(map[string]bool, len(set))
	for _, note := range set {
		if seen[note.Key] {
			return fmt.Errorf("note %q is written twice at once", note.Key)
		}
		seen[note.Key] = true
	}
	return nil
}

// together refuses keys that a cluster does not let one script touch.
func (s *Store) together(keys []string) error {
	if !s.net.cluster {
		return nil
	}
	for _, key := range keys {
		if slot(key) != slot(s.books) {
			return fmt.Errorf("the key %s is in another slot of the cluster than the books: a step in one piece touches keys with the hash tag {%s}; for others there is Stretch", key, s.booksTag())
		}
	}
	return nil
}

// booksTag is the hash tag that puts a key beside the books.
func (s *Store) booksTag() string {
	if s.tagged() {
		return "of the prefix"
	}
	return s.tag
}

// outcome reads what work.lua answers.
func (s *Store) outcome(answer any, task store.Task) (done, error) {
	parts, ok := answer.([]any)
	if !ok || len(parts) == 0 {
		return done{}, fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
	}
	if text(parts[0]) != "done" {
		return done{}, s.refused(parts, task)
	}
	if len(parts) != 4 {
		return done{}, fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
	}
	micros, errAt := strconv.ParseInt(text(parts[1]), 10, 64)
	d := done{at: time.UnixMicro(micros).UTC()}
	d.rows, _ = parts[3].(int64)
	list, _ := parts[2].([]any)
	for _, item := range list {
		rev, errRev := strconv.ParseInt(text(item), 10, 64)
		errAt = errors.Join(errAt, errRev)
		d.revs = append(d.revs, rev)
	}
	return d, errAt
}

// refused says why a script of ours did nothing.
func (s *Store) refused(parts []any, task store.Task) error {
	word := func(i int) string {
		if i < len(parts) {
			return text(parts[i])
		}
		return ""
	}
	switch word(0) {
	case "none":
		return fmt.Errorf("%s has no books yet: prepare it first", s.place)
	case "newer":
		return checkFormat(word(1))
	case "guard":
		return &store.ConflictError{Key: word(1), Guard: true}
	case "conflict":
		return &store.ConflictError{Key: word(1)}
	case "given up":
		return s.unreachable(errors.New("this write was given up while it was on its way"))
	case "refused":
		return s.refusal(firstWord(word(1)), s.scrubbed(errors.New(word(1))))
	case "failed":
		return s.failed(word(1), word(2), task)
	case "violated":
		return violation(parts)
	}
	return fmt.Errorf("%s: the answer %v is not understood", s.place, parts)
}

func violation(parts []any) error {
	found := &store.ViolationError{}
	if len(parts) == 3 {
		found.Rows, _ = parts[1].(int64)
		found.Sample = lines(parts[2])
	}
	return found
}
