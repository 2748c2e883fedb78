package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	goredis "github.com/redis/go-redis/v9"
)

// keepAll keeps the digests of all sources behind a cutover. Nobody should write
// them any more; if somebody does, the watch still hears of it, and no digest stays
// of what was not carried over.
func (m *mirror) keepAll(ctx context.Context, w *watch, a *authority) error {
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
	scan, err := w.store.beginScan(ctx, literal.Replace(beginning(layout.Sources()))+"*", nil)
	if err != nil {
		return err
	}
	return inLanes(ctx, w.store.lanes(), func(ctx context.Context, hand func([]pair) error) error {
		return feedSources(ctx, layout, scan, math.MaxInt, hand)
	}, func(ctx context.Context, batch []pair) error { return w.keepEach(ctx, layout, batch, true) })
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

// keepEqual keeps the digests of the sources that are what their targets are.
func (w *Sweep) keepEqual(ctx context.Context, layout Layout) error {
	match := literal.Replace(beginning(layout.Sources())) + "*"
	var cursor []byte
	for done := false; !done; {
		keys, next, end, err := w.Scan(ctx, match, cursor, scanCount)
		if err != nil {
			return err
		}
		cursor, done = next, end
		sources, err := sourcesAmong(layout, keys)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(sources, batchSize) {
			if _, _, err := w.seal(ctx, layout, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillFenced tells whether the users that a cutover shut out could not have written
// since: the fence stands on every node, and none was started anew in between.
func (s *Store) stillFenced(ctx context.Context, a *authority) (bool, error) {
	fences := make([]Fence, 0, len(a.Users)+1)
	for _, user := range a.Users {
		fences = append(fences, s.fenceOf(user))
	}
	if a.Fence != nil {
		fences = append(fences, *a.Fence)
	}
	if len(fences) == 0 {
		return false, nil
	}
	for _, fence := range fences {
		if err := s.ProveFence(ctx, fence); errors.As(err, new(*UnfencedError)) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	same := true
	_, err := s.onMembers(ctx, func(addr string, node *goredis.Client) error {
		info, err := node.Info(ctx, "server").Result()
		same = same && a.Runs[addr] != "" && a.Runs[addr] == infoField(info, "run_id")
		return err
	})
	return same, err
}
