package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// longestLine is how many characters of a sample line are kept.
const longestLine = 300

// inquire performs a Query. What it found is recorded in a second script, under
// the same guards; if the process dies in between, the query is asked again.
func (s *Store) inquire(ctx context.Context, task store.Task) (store.Progress, error) {
	if _, err := s.perform(ctx, call{guard: task.Guard}); err != nil {
		return store.Progress{}, err
	}
	if task.Proof != nil {
		found, err := s.find(ctx, task.Proof, task)
		if err != nil {
			return store.Progress{}, err
		}
		if found.Rows > 0 {
			return store.Progress{}, &store.ViolationError{Rows: found.Rows, Sample: found.Sample}
		}
	}
	progress, err := s.find(ctx, task.Action, task)
	if err != nil || task.Record == nil {
		return progress, err
	}
	_, err = s.perform(ctx, call{guard: task.Guard, set: task.Record(progress)})
	return progress, err
}

// proveInGo performs a proof that is a function in Go. One in Lua is part of the
// work's script.
func (s *Store) proveInGo(ctx context.Context, task store.Task) error {
	if _, ok := task.Proof.(seeker); !ok {
		return nil
	}
	found, err := s.find(ctx, task.Proof, task)
	if err != nil {
		return err
	}
	if found.Rows > 0 {
		return &store.ViolationError{Rows: found.Rows, Sample: found.Sample}
	}
	return nil
}

// find counts what a query returns and keeps a sample.
func (s *Store) find(ctx context.Context, query store.Action, task store.Task) (store.Progress, error) {
	if action, ok := query.(*inLua); ok {
		return s.findInLua(ctx, action, task)
	}
	progress := store.Progress{Done: true}
	inner, cancel := within(ctx, task.Timeout)
	defer cancel()
	err := query.(seeker).seek(inner, &Reader{store: s}, func(line string) {
		progress.Rows++
		if len(progress.Sample) < task.Sample {
			progress.Sample = append(progress.Sample, shortened(line))
		}
	})
	if err := wrong(ctx, inner, err, task); err != nil {
		return store.Progress{}, err
	}
	return progress, nil
}

func (s *Store) findInLua(ctx context.Context, action *inLua, task store.Task) (store.Progress, error) {
	keys := s.fulls(action.keys)
	if len(keys) == 0 {
		keys = []string{s.books}
	}
	if err := s.inOneSlot(keys); err != nil {
		return store.Progress{}, err
	}
	t := trip{script: compose("", action.lua, askLua), keys: keys, limit: workLimit}
	t.args = append([]any{seconds(task.Timeout), task.Sample}, texts(action.args)...)
	answer, err := s.eval(ctx, t)
	if err != nil {
		return store.Progress{}, s.fault(ctx, err)
	}
	parts, _ := answer.([]any)
	if len(parts) != 3 {
		return store.Progress{}, fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
	}
	if text(parts[0]) != "found" {
		return store.Progress{}, s.refused(parts, task)
	}
	progress := store.Progress{Done: true, Sample: lines(parts[2])}
	progress.Rows, _ = parts[1].(int64)
	return progress, nil
}

func (s *Store) inOneSlot(keys []string) error {
	for _, key := range keys {
		if s.net.cluster && slot(key) != slot(keys[0]) {
			return errors.New("the keys of the query are in several slots of the cluster: ask with Query")
		}
	}
	return nil
}

func lines(value any) []string {
	list, _ := value.([]any)
	var all []string
	for _, item := range list {
		all = append(all, shortened(fmt.Sprint(item)))
	}
	return all
}

func shortened(line string) string {
	runes := []rune(strings.Join(strings.Fields(line), " "))
	if len(runes) > longestLine {
		return string(runes[:longestLine]) + "…"
	}
	return string(runes)
}
