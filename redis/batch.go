package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// became says what became of a pair in a batch.
type became int

const (
	untried became = iota
	unsure         // it was sent, and no answer came: it may still arrive
	copied         // the target is now what the source was
	there          // the target was there already, and was left alone
	absent         // there is no source
	failed         // the server refused it
)

// result is what became of a pair, and the server's words if it failed.
type result struct {
	became became
	fault  string
}

// batchSize is how many pairs are copied in one trip.
const batchSize = 100

// bigKey is the memory, in bytes, of a key that is taken out of the server by
// itself, so that a batch does not take more than 25 MB here.
const bigKey = 256 << 10

// copyBatch copies sources to targets, each with a look at the guards in the same
// script. With replace, a target is made as its source is, and is deleted if
// there is no source; without it, a target that is there is left alone. A key
// keeps its type and the time of its end.
//
// What was read of a source is sent once: a batch that ended with an error must
// begin again with reading. The results tell which pairs are unsure.
func (w *Sweep) copyBatch(ctx context.Context, pairs []pair, replace bool) ([]result, error) {
	results := make([]result, len(pairs))
	near := map[int][]int{} // by slot
	var far []int
	for i, p := range pairs {
		if from := w.store.slotOf(p.from); from == w.store.slotOf(p.to) {
			near[from] = append(near[from], i)
		} else {
			far = append(far, i)
		}
	}
	if err := w.copyNear(ctx, pairs, near, replace, results); err != nil {
		return results, err
	}
	return results, w.copyFar(ctx, pairs, far, bigKey, replace, results)
}

// slotOf gives the slot of a key without the prefix. On one server all keys are
// in one.
func (s *Store) slotOf(key string) int {
	if !s.net.cluster {
		return 0
	}
	return slot(s.full(key))
}

func word(replace bool) string {
	if replace {
		return "1"
	}
	return "0"
}

// copyNear copies inside of slots, one script for each.
func (w *Sweep) copyNear(ctx context.Context, pairs []pair, near map[int][]int, replace bool, results []result) error {
	var trips []trip
	var lists [][]int
	for _, list := range near {
		t := trip{script: copyScript, limit: workLimit}
		t.keys, t.args = w.held(w.store.full(pairs[list[0]].to))
		t.args = append(t.args, word(replace))
		for _, i := range list {
			t.keys = append(t.keys, w.store.full(pairs[i].from), w.store.full(pairs[i].to))
		}
		trips, lists = append(trips, t), append(lists, list)
	}
	return w.applied(ctx, trips, lists, results)
}

// copyFar copies between slots: reads bytes from one, and makes keys of them in
// the other. Keys of more than limit bytes go by themselves; 0: none does.
func (w *Sweep) copyFar(ctx context.Context, pairs []pair, far []int, limit int, replace bool, results []result) error {
	if len(far) == 0 {
		return nil
	}
	froms := make([]string, len(far))
	for k, i := range far {
		froms[k] = w.store.full(pairs[i].from)
	}
	dumps, err := w.store.dumps(ctx, froms, limit)
	if err != nil {
		return err
	}
	trips, lists := make([]trip, 0, len(far)), make([][]int, 0, len(far))
	var big []int
	for k, i := range far {
		if dumps[k].big {
			w.store.notices.met(pairs[i].from, dumps[k].size)
			if fault := w.store.tooBig(dumps[k].size); fault != "" {
				results[i] = result{became: failed, fault: fault}
			} else {
				big = append(big, i)
			}
			continue
		}
		t := trip{script: restoreScript, limit: workLimit}
		t.keys, t.args = w.held(w.store.full(pairs[i].to))
		t.keys = append(t.keys, w.store.full(pairs[i].to))
		t.args = append(t.args, word(replace), dumps[k].until(), dumps[k].bytes)
		trips, lists = append(trips, t), append(lists, far[k:k+1])
	}
	if err := w.applied(ctx, trips, lists, results); err != nil {
		return err
	}
	for _, i := range big {
		if err := w.copyFar(ctx, pairs, []int{i}, 0, replace, results); err != nil {
			return err
		}
	}
	return nil
}

// applied performs scripts that write targets, and puts what became of the
// pairs with the numbers in lists into results.
func (w *Sweep) applied(ctx context.Context, trips []trip, lists [][]int, results []result) error {
	if len(trips) == 0 {
		return nil
	}
	for _, list := range lists {
		for _, i := range list {
			results[i].became = unsure
		}
	}
	replies, err := w.store.pipeline(ctx, trips)
	if err != nil {
		return err
	}
	var lost error
	for k, reply := range replies {
		odd, err := w.oddOf(reply, len(lists[k]))
		for n, i := range lists[k] {
			results[i] = result{became: copied}
			if word, is := odd[n]; is {
				results[i] = readResult(word)
			}
			if err != nil {
				results[i], lost = result{became: untried}, err
			}
		}
	}
	return lost
}

// oddOf reads the answer of a script that does n things: what it says of those
// that were not done, by their number from 0.
func (w *Sweep) oddOf(reply any, n int) (map[int]string, error) {
	if reply == int64(1) {
		return nil, nil
	}
	answer, err := w.answer(reply)
	if err != nil {
		return nil, err
	}
	words, _ := answer.([]any)
	odd := make(map[int]string, len(words))
	for _, word := range words {
		number, rest, _ := strings.Cut(text(word), " ")
		i, err := strconv.Atoi(number)
		if err != nil || i < 1 || i > n {
			return nil, fmt.Errorf("%s: the answer %v is not understood", w.store.place, answer)
		}
		odd[i-1] = rest
	}
	return odd, nil
}

func readResult(word string) result {
	switch word {
	case "there":
		return result{became: there}
	case "absent":
		return result{became: absent}
	}
	return result{became: failed, fault: strings.TrimPrefix(word, "failed ")}
}
