package redismodel

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Check holds every key of a side against the model.
func (m *Model) Check(ctx context.Context, side Side) (Report, error) {
	if err := m.claim(); err != nil {
		return Report{}, err
	}
	defer m.release()
	r := Report{Chance: m.options.Seed}
	l := newLink(side)
	defer l.close()
	for part := range slices.Chunk(m.keys, 500) {
		s := m.glance()
		found, err := l.read(ctx, part)
		if err != nil {
			return r, err
		}
		s.end = time.Now().UnixMilli()
		for i := range part {
			if part[i].unsure {
				r.Unsure++
				continue
			}
			r.judge(side.name(&part[i]), part[i], found[i], s)
		}
	}
	return r, nil
}

// Compare holds every key of a side against another side, for instance where
// that one has lost acknowledged writes by itself. No key is unsure then.
func (m *Model) Compare(ctx context.Context, truth, side Side) (Report, error) {
	if err := m.claim(); err != nil {
		return Report{}, err
	}
	defer m.release()
	r := Report{Chance: m.options.Seed}
	from, to := newLink(truth), newLink(side)
	defer from.close()
	defer to.close()
	for part := range slices.Chunk(m.keys, 500) {
		s := m.glance()
		want, err := from.read(ctx, part)
		if err != nil {
			return r, err
		}
		got, err := to.read(ctx, part)
		if err != nil {
			return r, err
		}
		s.end = time.Now().UnixMilli()
		for i := range part {
			r.judge(side.name(&part[i]), want[i].key, got[i], s)
		}
	}
	return r, nil
}

// CheckEither holds every key against the model where it is on the first side, and
// where it is not, the key of the second.
func (m *Model) CheckEither(ctx context.Context, first, second Side) (Report, error) {
	if err := m.claim(); err != nil {
		return Report{}, err
	}
	defer m.release()
	r := Report{Chance: m.options.Seed}
	one, two := newLink(first), newLink(second)
	defer one.close()
	defer two.close()
	for part := range slices.Chunk(m.keys, 500) {
		s := m.glance()
		found, err := one.read(ctx, part)
		if err != nil {
			return r, err
		}
		other, err := two.read(ctx, part)
		if err != nil {
			return r, err
		}
		s.end = time.Now().UnixMilli()
		for i := range part {
			side := first
			// A key that should be gone is judged by the first side alone: the second
			// may have kept it.
			if found[i].count == 0 && found[i].strange == nil && part[i].alive(s.begin) {
				found[i], side = other[i], second
			}
			if part[i].unsure {
				r.Unsure++
				continue
			}
			r.judge(side.name(&part[i]), part[i], found[i], s)
		}
	}
	return r, nil
}

// seen is a key as it was read.
type seen struct {
	key
	strange error // it cannot be read as what it should be
}

// span is the time in which keys were read, in Unix milliseconds.
type span struct{ begin, end, tolerance int64 }

func (m *Model) glance() span {
	return span{begin: time.Now().UnixMilli(), tolerance: m.options.Tolerance.Milliseconds()}
}

// ending says whether it depends on clocks if a key was still there.
func (s span) ending(until int64) bool {
	return until != 0 && until > s.begin-50-s.tolerance && until < s.end+50+s.tolerance
}

// read gives what a side holds of keys.
func (l *link) read(ctx context.Context, keys []key) ([]seen, error) {
	var commands [][]any
	for i := range keys {
		commands = append(commands, keys[i].reading(l.side.name(&keys[i]))...)
	}
	answers, err := l.all(ctx, commands)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	found := make([]seen, len(keys))
	for i := range keys {
		n := len(keys[i].reading(""))
		found[i] = keys[i].seen(answers[:n])
		answers = answers[n:]
	}
	return found, nil
}

func (k *key) seen(answers []any) seen {
	for _, answer := range answers {
		if err, ok := answer.(error); ok {
			return seen{key: key{count: 1}, strange: err}
		}
	}
	f, err := k.found(answers)
	return seen{f, err}
}

// judge counts one key.
func (r *Report) judge(name string, want key, got seen, s span) {
	if s.ending(want.until) || want.count == 0 && s.ending(got.until) {
		r.Ending++
		return
	}
	if !want.alive(s.begin) {
		want.count = 0
	}
	counter := &r.OK
	switch ends := want.until - got.until; {
	case want.count == 0 && got.count == 0 && got.strange == nil:
	case want.count == 0:
		counter = &r.Resurrected
	case got.count == 0 && got.strange == nil:
		counter = &r.Missing
	case got.strange != nil, got.generation < want.generation, got.generation == want.generation && got.count < want.count:
		counter = &r.Lost
	case got.generation > want.generation, got.count > want.count:
		counter = &r.Doubled
	case (want.until == 0) != (got.until == 0), max(ends, -ends) > s.tolerance:
		counter = &r.TTL
	}
	*counter++
	if counter == &r.OK {
		return
	}
	text := got.String()
	if got.strange != nil {
		text = got.strange.Error()
	}
	r.Samples = sample(r.Samples, "%s: want %s, found %s", name, &want, text)
}
