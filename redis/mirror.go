package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/stopover-dev/stopover/store"
)

// mirror makes the targets of a layout what their sources are, while writers write
// the sources, until the cutover. It lives as long as the holder's work on the
// store; of what it has seen nothing outlives the process, so the next one goes
// over all keys.
type mirror struct {
	store  *Store
	layout Layout
	task   store.Task // the holder's guards and limits

	mu    sync.Mutex        // one caller at a time
	now   *watch            // nil: none was begun, or it ended
	empty bool              // there was no target when the first watch was begun
	hot   []pair            // changed too often to be compared while writers are at work
	seen  map[string]string // members with their run ids, before the cutover
}

// mirrorOf gives the mirror of a layout for the holder of a task's guards. One of
// another holder is ended: what it sends is not done any more.
func (s *Store) mirrorOf(layout Layout, task store.Task) *mirror {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mirrors[layout.String()]
	if m != nil && highest(m.task.Guard).Rev == highest(task.Guard).Rev {
		return m
	}
	if m != nil {
		go m.end()
	}
	m = &mirror{store: s, layout: layout, task: store.Task{Guard: task.Guard, Timeout: task.Timeout}}
	if s.mirrors == nil {
		s.mirrors = map[string]*mirror{}
	}
	s.mirrors[layout.String()] = m
	return m
}

// mirroring gives the mirror of a layout if there is one.
func (s *Store) mirroring(layout Layout) *mirror {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mirrors[layout.String()]
}

// Unfollow ends all mirrors. What the writers do from then on is found by the next
// one.
func (s *Store) Unfollow() {
	s.mu.Lock()
	mirrors := s.mirrors
	s.mirrors = nil
	s.mu.Unlock()
	for _, m := range mirrors {
		m.end()
	}
}

// Follow does before a task what takes long and can be done while writers are at
// work: its mirror catches up with them, and goes on following. Tasks that follow
// nobody are ready.
func (s *Store) Follow(ctx context.Context, task store.Task) error {
	switch action := task.Action.(type) {
	case Compare:
		if !action.Live {
			return nil
		}
		if a, err := s.authorityOf(ctx, action.Layout); err != nil || a.Targets {
			return err
		}
		return s.mirrorOf(action.Layout, task).caughtUp(ctx)
	case Cutover:
		return s.mirrorOf(action.Layout, task).beforeCutover(ctx)
	}
	return nil
}

func (m *mirror) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != nil {
		m.now.end()
		m.now = nil
	}
}

// watching gives the present watch, or begins one. That one has ended is told
// once, as an error that passes; m.mu is held.
func (m *mirror) watching(ctx context.Context) (*watch, error) {
	if m.now != nil {
		if why := m.now.err(); why != nil {
			return nil, m.lost(why)
		}
		return m.now, nil
	}
	if a, err := m.store.authorityOf(ctx, m.layout); err != nil {
		return nil, err
	} else if a.Targets {
		return nil, &CutOverError{}
	}
	w, err := m.begin(ctx)
	m.now = w
	return w, err
}

// lost gives up the present watch. What is not known to be final may pass: then
// the next watch goes over all keys.
func (m *mirror) lost(why error) error {
	ended := m.now
	ended.end()
	m.now, m.empty = nil, false
	// Our own mirror of another layout has raised the guards when it began: that
	// shuts out what it cannot know the end of, and the work of this one with it.
	// Whoever has lost the lease is told so by the next watch.
	if refused := (*store.ConflictError)(nil); errors.As(why, &refused) && m.store.fences.present(highest(m.task.Guard).Rev) > ended.work.guard {
		why = errors.New("another copy of this run has raised the guards")
	}
	for _, final := range []any{new(*store.ConflictError), new(*store.RightsError), new(*store.StatementError), new(*AmbiguousError)} {
		if errors.As(why, final) {
			return why
		}
	}
	if gone := (*store.UnreachableError)(nil); errors.As(why, &gone) {
		why = gone.Err
	}
	return m.store.unreachable(fmt.Errorf("changes may have been missed (%w): all keys are gone over again", m.store.scrubbed(why)))
}

// advance goes over about size keys more, and tells whether all were gone over and
// what was found is done. The writers' changes are followed beside that.
func (m *mirror) advance(ctx context.Context, size int) (rows int64, done bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.watching(ctx)
	if err != nil {
		return 0, false, err
	}
	err = w.pass(ctx, size, m.empty)
	if err == nil && w.passed {
		done, err = true, w.dirty.settled(ctx)
	}
	rows = w.rows.Swap(0)
	if why := w.err(); why != nil {
		return rows, false, m.lost(why)
	}
	return rows, done && err == nil, err
}

// caughtUp returns when targets are what their sources were when it was called, or
// later; and they go on following.
func (m *mirror) caughtUp(ctx context.Context) error {
	for done := false; !done; {
		var err error
		if _, done, err = m.advance(ctx, mostPassed); err != nil {
			return err
		}
	}
	return nil
}

// pass goes over about size keys. Sources are looked at, and targets that have
// none: their sources were deleted while nobody was listening. Where there were no
// targets before, none can be without a source that events do not tell of.
func (w *watch) pass(ctx context.Context, size int, empty bool) error {
	match := literal.Replace(beginning(w.layout.Sources(), w.layout.Targets())) + "*"
	scan, err := w.store.beginScan(ctx, match, w.cursor)
	if err != nil {
		return err
	}
	for seen := 0; seen < size && !scan.done; {
		if err := w.dirty.room(ctx, mostPassed); err != nil {
			return err
		}
		if w.err() != nil {
			return nil // the caller looks
		}
		keys, err := scan.more(ctx, size-seen)
		if err != nil {
			return err
		}
		seen += max(len(keys), 1)
		sources, err := w.toLookAt(ctx, keys, empty)
		if err != nil {
			return err
		}
		for _, p := range sources {
			if !w.dirty.put(p) { // there was room before the scan
				w.fail(errTooMany)
			}
		}
	}
	w.passed = scan.done
	w.cursor, err = scan.cursor()
	return err
}

// toLookAt gives the pairs among keys whose sources are there, and those that have a
// target only.
func (w *watch) toLookAt(ctx context.Context, keys []string, empty bool) ([]pair, error) {
	if empty {
		return sourcesAmong(w.layout, keys)
	}
	sources, targets, err := told(w.layout, keys)
	if err != nil {
		return nil, err
	}
	targets, err = w.store.withoutSource(ctx, targets)
	return append(sources, targets...), err
}

// untaken refuses targets that were there before the migration and are not what
// their sources are: a mirror would write over them.
func (m *mirror) untaken(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.store
	match := literal.Replace(beginning(m.layout.Targets())) + "*"
	refused := &TakenError{}
	found := false
	scan, err := s.beginScan(ctx, match, nil)
	if err != nil {
		return err
	}
	for !scan.done && len(refused.Keys) < scanCount {
		keys, err := scan.more(ctx, scanCount)
		if err != nil {
			return err
		}
		_, targets, err := told(m.layout, keys)
		if err != nil {
			return err
		}
		found = found || len(targets) > 0
		for part := range slices.Chunk(targets, batchSize) {
			differing, err := s.comparePairs(ctx, part, tolerance)
			if err != nil {
				return err
			}
			for _, d := range differing {
				refused.Keys = append(refused.Keys, fmt.Sprintf("%s (%s)", d.to, d.because))
			}
		}
	}
	if len(refused.Keys) > 0 {
		return refused
	}
	m.empty = !found
	return nil
}
