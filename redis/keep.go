package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// keepAll keeps the digests of all sources behind a cutover. Nobody should write
// them any more; if somebody does, the watch still hears of it, and no digest stays
// of what was not carried over.
func (m *mirror) keepAll(ctx context.Context, w *watch) error {
	if err := w.work.keepSources(ctx, m.layout); err != nil {
		return err
	}
	if err := w.barrier(ctx); err != nil {
		return err
	}
	if err := w.unmoved(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	late := slices.Collect(maps.Keys(w.late))
	w.mu.Unlock()
	if len(late) >= mostDirty {
		return fmt.Errorf("more than %d sources were written to after the cutover", mostDirty)
	}
	pairs, err := sourcesAmong(m.layout, late)
	if err == nil {
		err = w.work.keepEach(ctx, m.layout, pairs, false)
	}
	if err == nil {
		err = w.err()
	}
	return err
}

// keepSources keeps a digest of every source as it is now.
func (w *Sweep) keepSources(ctx context.Context, layout Layout) error {
	return w.overSources(ctx, layout, func(ctx context.Context, batch []pair) error { return w.keepEach(ctx, layout, batch, true) })
}

// keepEqual keeps the digests of the sources that are what their targets are.
func (w *Sweep) keepEqual(ctx context.Context, layout Layout) error {
	return w.overSources(ctx, layout, func(ctx context.Context, batch []pair) error {
		_, _, err := w.seal(ctx, layout, batch)
		return err
	})
}

// overSources does something with all sources, in batches side by side.
func (w *Sweep) overSources(ctx context.Context, layout Layout, do func(context.Context, []pair) error) error {
	scan, err := w.store.beginScan(ctx, literal.Replace(beginning(layout.Sources()))+"*", nil)
	if err != nil {
		return err
	}
	return inLanes(ctx, w.store.lanes(), func(ctx context.Context, hand func([]pair) error) error {
		return feedSources(ctx, layout, scan, math.MaxInt, hand)
	}, do)
}

// keepEach keeps the digest of each source, or forgets it.
func (w *Sweep) keepEach(ctx context.Context, layout Layout, pairs []pair, keep bool) error {
	for part := range slices.Chunk(pairs, batchSize) {
		if _, err := w.onSources(ctx, keepScript, layout, part, func(int) []any { return []any{word(keep)} }); err != nil {
			return err
		}
	}
	return nil
}

// makeUp keeps the digests that a cutover could not keep, because its process died
// behind the record. Where a fence has stood since, sources are still what was
// carried over; else that is known only of those that are equal to their targets.
// What the dead process kept is forgotten: it may have died before it took back the
// digests of late writes.
func (w *Sweep) makeUp(ctx context.Context, layout Layout, a *authority) error {
	frozen, err := w.store.stillFenced(ctx, a)
	if err != nil {
		return err
	}
	if err := w.forget(ctx, layout); err != nil {
		return err
	}
	if frozen {
		err = w.keepSources(ctx, layout)
	} else {
		err = w.keepEqual(ctx, layout)
	}
	if err != nil {
		return err
	}
	a.Sealed = true
	return w.store.keepAuthority(ctx, layout, a, w.task.Guard)
}

// stillFenced tells whether the users that a cutover shut out could not have written
// since: the fence stands on every node, and none was started anew in between.
func (s *Store) stillFenced(ctx context.Context, a *authority) (bool, error) {
	if len(a.Users) == 0 && a.Fence == nil {
		return false, nil
	}
	if err := s.proveFences(ctx, a.Users, a.Fence); errors.As(err, new(*UnfencedError)) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	now, err := s.runs(ctx)
	for addr, run := range now {
		if run == "" || a.Runs[addr] != run {
			return false, err
		}
	}
	return err == nil, err
}

// proveFences proves the fences before users, and one of a cutover's own, if any.
func (s *Store) proveFences(ctx context.Context, users []string, own *Fence) error {
	for _, user := range users {
		if err := s.ProveFence(ctx, s.fenceOf(user)); err != nil {
			return err
		}
	}
	if own == nil {
		return nil
	}
	return s.ProveFence(ctx, *own)
}
