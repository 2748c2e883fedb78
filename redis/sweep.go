package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// Sweep is what a step that goes over many keys gets for one stretch.
type Sweep struct {
	Reader
	task  store.Task
	guard int64 // its number, see fences; 0: none
}

// sweeper is an action that goes over many keys, in stretches: Stretch, Copy.
type sweeper interface {
	store.Action
	sweep(ctx context.Context, w *Sweep, cursor []byte, size int) (next []byte, done bool, rows int64, err error)
}

// seeker is an action that looks for violations: Query, Compare.
type seeker interface {
	store.Action
	seek(ctx context.Context, r *Reader, report func(line string)) error
}

// sweep calls the function of a Stretch, and records the cursor.
func (s *Store) sweep(ctx context.Context, action sweeper, task store.Task) (store.Progress, error) {
	if err := s.proveInGo(ctx, task); err != nil {
		return store.Progress{}, err
	}
	if proof, ok := task.Proof.(*inLua); ok {
		if _, err := s.perform(ctx, call{guard: task.Guard, proof: proof, sample: task.Sample, timeout: task.Timeout}); err != nil {
			return store.Progress{}, err
		}
	}
	w := &Sweep{Reader: Reader{store: s}, task: task, guard: s.fences.present(highest(task.Guard).Rev)}
	if err := s.raise(ctx, w.guard, task.Guard); err != nil {
		return store.Progress{}, err
	}
	inner, cancel := within(ctx, task.Timeout)
	defer cancel()
	next, done, rows, err := action.sweep(inner, w, task.Cursor, task.Size)
	if err = wrong(ctx, inner, err, task); err != nil {
		return store.Progress{}, swept(err)
	}
	progress, err := stretched(action.Statements()[0].Text, task, next, done, rows)
	if err != nil {
		return store.Progress{}, err
	}
	progress.Noticed = s.notices.take()
	// If the process dies here, the keys of this stretch are gone over again.
	c := call{guard: task.Guard}
	if task.Record != nil {
		c.set = task.Record(progress)
	}
	_, err = s.perform(ctx, c)
	return progress, err
}

func highest(guard []store.Note) store.Note {
	var top store.Note
	for _, note := range guard {
		if note.Rev > top.Rev {
			top = note
		}
	}
	return top
}

// Each performs a script on each key, in one piece with a look at the guards,
// and gives its answers in the order of the keys. KEYS is the one key, with the
// prefix. The script touches that key only, and nothing of it stays when it
// fails; the keys before it stay done. It decides by what the key holds at that
// moment, and must give the same when it is repeated.
func (w *Sweep) Each(ctx context.Context, lua string, keys []string, args ...string) ([]any, error) {
	answers := make([]any, 0, len(keys))
	script := compose(lua, "", heldLua+sweepLua)
	for part := range slices.Chunk(keys, 100) {
		trips := make([]trip, len(part))
		for i, key := range part {
			trips[i] = w.trip(script, w.store.full(key), args)
		}
		replies, err := w.store.pipeline(ctx, trips)
		if err != nil {
			return answers, err
		}
		for i, reply := range replies {
			answer, err := w.answer(reply)
			if err != nil {
				return answers, fmt.Errorf("key %s: %w", part[i], err)
			}
			answers = append(answers, answer)
		}
	}
	return answers, nil
}

// trip makes the call for one key, with the guards where they are: in the books
// if those are in the same slot, else in the guard of the slot.
func (w *Sweep) trip(script *script, key string, args []string) trip {
	t := trip{script: script, limit: workLimit}
	t.keys, t.args = w.held(key)
	t.keys = append(t.keys, key)
	if w.task.Timeout > 0 {
		t.limit = w.task.Timeout + replyLimit
	}
	t.args = append(t.args, seconds(w.task.Timeout))
	t.args = append(t.args, texts(args)...)
	return t
}

// held gives what begins the keys and the arguments of a script that looks at
// the guards, see held.lua, for a full key.
func (w *Sweep) held(key string) (keys []string, args []any) {
	s := w.store
	keys, args = make([]string, 1, 4), make([]any, 0, 8) // for what comes behind
	if !s.net.cluster {
		keys[0] = s.books
	} else if at := slot(key); at == s.home {
		keys[0] = s.books
	} else {
		keys[0] = s.guardOf(at)
		return keys, append(args, "slot", strconv.FormatInt(w.guard, 10))
	}
	args = append(args, "books", store.Format)
	return keys, append(append(args, guardArgs(w.task.Guard)...), strconv.FormatInt(w.guard, 10))
}

func (w *Sweep) answer(reply any) (any, error) {
	parts, _ := reply.([]any)
	if len(parts) > 0 && text(parts[0]) == "done" {
		return parts[len(parts)-1], nil
	}
	err := w.store.refused(parts, w.task)
	if conflict, ok := err.(*store.ConflictError); ok && conflict.Key == "" {
		conflict.Key = highest(w.task.Guard).Key
	}
	return nil, err
}

// pipeline performs scripts, those for one node in one trip. Where a node says
// that it did not perform one, that one is sent by itself.
func (s *Store) pipeline(ctx context.Context, trips []trip) ([]any, error) {
	nodes := map[*goredis.Client][]int{}
	for i, t := range trips {
		node, err := s.net.owner(ctx, slot(t.keys[0]))
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		nodes[node] = append(nodes[node], i)
	}
	answers := make([]any, len(trips))
	errs := make(chan error, len(nodes))
	for node, list := range nodes {
		to := func() { errs <- s.pipelineAll(ctx, node, trips, list, answers) }
		if len(nodes) == 1 {
			to()
		} else {
			go to() // the nodes work at the same time
		}
	}
	var failed error
	for range nodes {
		if err := <-errs; err != nil && failed == nil {
			failed = err
		}
	}
	if failed != nil {
		return nil, s.fault(ctx, failed)
	}
	return answers, nil
}

func (s *Store) pipelineAll(ctx context.Context, node *goredis.Client, trips []trip, list []int, answers []any) error {
	again, err := s.pipelineTo(ctx, node, trips, list, answers)
	for _, i := range again {
		if err == nil {
			answers[i], err = s.eval(ctx, trips[i])
		}
	}
	return err
}

// pipelineTo gives the numbers of the trips that were not performed.
func (s *Store) pipelineTo(ctx context.Context, node *goredis.Client, trips []trip, list []int, answers []any) (again []int, err error) {
	t := trip{limit: trips[list[0]].limit}
	replies, err := t.within(ctx, func(ctx context.Context) (any, error) {
		pipe := node.WithTimeout(t.limit).Pipeline()
		replies := make([]*goredis.Cmd, len(list))
		for k, i := range list {
			replies[k] = pipe.EvalSha(ctx, trips[i].script.sha, trips[i].keys, trips[i].args...)
		}
		_, _ = pipe.Exec(ctx) // each has its own error
		return replies, nil
	})
	if err != nil {
		return nil, err
	}
	for k, i := range list {
		answer, err := replies.([]*goredis.Cmd)[k].Result()
		switch word := code(err); {
		case err == nil:
			answers[i] = answer
		case word == "NOSCRIPT", s.net.cluster && changing(word):
			again = append(again, i)
		default:
			return nil, err
		}
	}
	return again, nil
}
