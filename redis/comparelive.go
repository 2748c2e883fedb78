package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

const (
	mostUnequal = 2000 // pairs that are looked at again together
	hotRounds   = 50   // looks at a pair that is changed again and again, before it is left to the cutover
)

// seekLive compares everything while a mirror follows the writers, and waits for it
// where they are ahead. Where no mirror is at work targets may be behind, which is
// no fault: the next run makes them even before it cuts over.
func (c Compare) seekLive(ctx context.Context, r *Reader, report func(string)) error {
	a, err := r.store.authorityOf(ctx, c.Layout)
	if err != nil {
		return err
	}
	if a.Targets {
		return c.lateWrites(ctx, r, a, report)
	}
	m := r.store.mirroring(c.Layout)
	if m != nil {
		if err := m.caughtUp(ctx); err != nil {
			return err
		}
	}
	var unequal []pair
	var cursor []byte
	for done := false; !done; {
		keys, next, end, err := r.Scan(ctx, "*", cursor, scanCount)
		if err != nil {
			return err
		}
		cursor, done = next, end
		sources, targets, odd, err := c.sorted(keys)
		if err != nil {
			return err
		}
		for _, line := range odd {
			report(line)
		}
		if m == nil {
			continue
		}
		more, err := r.store.unequal(ctx, append(sources, targets...))
		if err != nil {
			return err
		}
		if unequal = append(unequal, more...); len(unequal) >= mostUnequal || done {
			if err := m.explain(ctx, unequal, report); err != nil {
				return err
			}
			unequal = nil
		}
	}
	return nil
}

// unequal gives the pairs that are not equal just now.
func (s *Store) unequal(ctx context.Context, pairs []pair) ([]pair, error) {
	differing, err := s.differingInParts(ctx, pairs)
	all := make([]pair, len(differing))
	for i, d := range differing {
		all[i] = d.pair
	}
	return all, err
}

// explain reports the pairs that stay unequal although nobody writes to them. The
// others were only ahead.
func (m *mirror) explain(ctx context.Context, pairs []pair, report func(string)) error {
	struck := map[string]bool{}
	for range hotRounds {
		if len(pairs) == 0 {
			return nil
		}
		again, quiet, err := m.lookAgain(ctx, pairs)
		if err != nil {
			return err
		}
		for _, d := range quiet {
			// One of a pair may have been seen just before it expired, the other just
			// behind that: only the second time counts.
			if struck[d.from] {
				report(fmt.Sprintf("%s and %s: %s", d.from, d.to, d.because))
				continue
			}
			struck[d.from] = true
			again = append(again, d.pair)
		}
		pairs = again
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.hot) < mostUnequal {
		m.hot = append(m.hot, pairs...)
	}
	return nil
}

// lookAgain compares pairs once more, when all of their changes that were known of
// have been carried over. Those that differ, and were changed in between, are to be
// asked again; quiet are those that nobody has changed.
func (m *mirror) lookAgain(ctx context.Context, pairs []pair) (again []pair, quiet []difference, err error) {
	if err := m.caughtUp(ctx); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.watching(ctx)
	if err != nil {
		return nil, nil, err
	}
	stop := w.ask(pairs)
	defer stop()
	err = w.barrier(ctx)
	if err == nil {
		err = w.dirty.settled(ctx)
	}
	var differing []difference
	if err == nil {
		differing, err = m.store.differingInParts(ctx, pairs)
	}
	if err == nil {
		err = w.barrier(ctx) // the events of what the comparison saw
	}
	if why := w.err(); why != nil {
		return nil, nil, m.lost(why)
	}
	if err != nil {
		return nil, nil, m.store.fault(ctx, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range differing {
		if w.watched[d.from] {
			again = append(again, d.pair)
		} else {
			quiet = append(quiet, d)
		}
	}
	return again, quiet, nil
}

// ask begins to note which sources of pairs are changed.
func (w *watch) ask(pairs []pair) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = make(map[string]bool, len(pairs))
	for _, p := range pairs {
		w.watched[p.from] = false
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.watched = nil
	}
}

func (s *Store) differingInParts(ctx context.Context, pairs []pair) ([]difference, error) {
	var all []difference
	for part := range slices.Chunk(pairs, batchSize) {
		differing, err := s.differing(ctx, part, tolerance)
		if err != nil {
			return nil, err
		}
		all = append(all, differing...)
	}
	return all, nil
}

// lateWrites reports sources that are not what was carried over. While not all
// digests are kept (the run that cut over died), nothing can be told of them: what
// deletes them keeps the rest first.
func (c Compare) lateWrites(ctx context.Context, r *Reader, a authority, report func(string)) error {
	if !a.Sealed {
		return nil
	}
	match := literal.Replace(beginning(c.Layout.Sources())) + "*"
	var cursor []byte
	for done := false; !done; {
		keys, next, end, err := r.Scan(ctx, match, cursor, scanCount)
		if err != nil {
			return err
		}
		cursor, done = next, end
		var sources []pair
		for _, key := range keys {
			p, as, err := placeOf(c.Layout, key)
			if isAmbiguous(err) {
				report(err.Error())
			} else if err != nil {
				return err
			} else if as == source {
				sources = append(sources, p)
			}
		}
		for part := range slices.Chunk(sources, batchSize) {
			proven, err := r.store.proven(ctx, c.Layout, part)
			if err != nil {
				return err
			}
			for i, word := range proven {
				if word == "unproven" {
					report(part[i].from + ": it was written to after the cutover, and that is not in " + part[i].to)
				}
			}
		}
	}
	return nil
}

// proven tells of each source whether a digest of it is kept: "proven", "unproven"
// or "absent".
func (s *Store) proven(ctx context.Context, layout Layout, pairs []pair) ([]string, error) {
	trips := make([]trip, len(pairs))
	for i, p := range pairs {
		key := s.full(p.from)
		trips[i] = trip{script: provenScript, keys: []string{s.digestsOf(layout, s.shareOf(key)), key}, limit: workLimit}
	}
	replies, err := s.pipeline(ctx, trips)
	if err != nil {
		return nil, err
	}
	words := make([]string, len(pairs))
	for i, reply := range replies {
		if words[i] = text(reply); words[i] == "" {
			return nil, errors.New("the answer of a script is not understood")
		}
	}
	return words, nil
}
