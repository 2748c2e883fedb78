package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/internal/expr"
)

// value is what a key was read to hold.
type value struct {
	sort   string // as TYPE says it
	text   string // of a string
	record map[string]any
}

// values gives what keys hold, as far as their rules look at it. Most are hashes
// and are asked for their fields; of others, and where none of the fields is
// there, a script says more.
func (s *Store) values(ctx context.Context, all []taken) ([]value, error) {
	keys := make([]string, len(all))
	for i, t := range all {
		keys[i] = s.full(t.key)
	}
	answers, err := s.plainly(ctx, keys, func(pipe goredis.Pipeliner, i int) {
		pipe.HMGet(ctx, keys[i], all[i].rule.change.Reads()...)
	})
	if err != nil {
		return nil, err
	}
	values := make([]value, len(all))
	var again []int
	for i, answer := range answers {
		list, err := answer[0].(*goredis.SliceCmd).Result()
		values[i] = value{sort: "hash", record: recordOf(all[i].rule, list)}
		if err != nil || len(values[i].record) == 0 {
			again = append(again, i)
		}
	}
	return values, s.valuesAgain(ctx, all, again, values)
}

func recordOf(rule *rule, list []any) map[string]any {
	fields := rule.change.Reads()
	record := make(map[string]any, len(fields))
	for k, field := range fields {
		if k < len(list) && list[k] != nil {
			record[field] = text(list[k])
		}
	}
	return record
}

// valuesAgain asks by a script for some of the values.
func (s *Store) valuesAgain(ctx context.Context, all []taken, numbers []int, values []value) error {
	if len(numbers) == 0 {
		return nil
	}
	trips := make([]trip, len(numbers))
	for k, i := range numbers {
		trips[k] = trip{script: valueScript, keys: []string{s.full(all[i].key)}, args: texts(all[i].rule.change.Reads()), limit: workLimit}
	}
	replies, err := s.pipeline(ctx, trips)
	if err != nil {
		return err
	}
	for k, i := range numbers {
		parts, _ := replies[k].([]any)
		if len(parts) == 0 {
			return fmt.Errorf("%s: the answer %v is not understood", s.place, replies[k])
		}
		v := value{sort: text(parts[0])}
		if v.sort == "string" && len(parts) == 2 {
			v.text = text(parts[1])
		}
		if v.sort == "hash" && len(parts) == 2 {
			list, _ := parts[1].([]any)
			v.record = recordOf(all[i].rule, list)
		}
		values[i] = v
	}
	return nil
}

// becomes gives the argument of the script that writes what becomes of a value,
// see rewrite.lua; none if it stays as it is. The error is an
// *expr.UnconvertibleError if the rule's policy is to decide. The list of the
// fields that the change looks at has a number there. The value is of no use
// afterwards.
func (v value) becomes(change *expr.Change, number int) (packed, error) {
	switch v.sort {
	case "none":
		return nil, nil
	case "string":
		return v.newText(change)
	case "hash":
		return v.newFields(change, number)
	}
	return nil, &expr.UnconvertibleError{Reason: "it is a " + v.sort + ", neither a hash nor a string"}
}

// errNotSettled says that an expression changes what it made. It is a mistake of
// the rewriting, whatever its policy is.
var errNotSettled = errors.New("a second run would change it once more: " +
	"give the rewriting a where: that does not hold for what is rewritten")

func (v value) newText(change *expr.Change) (packed, error) {
	becomes, err := change.JSON(v.text)
	if err != nil || becomes == v.text {
		return nil, err
	}
	if again, err := change.JSON(becomes); err != nil || again != becomes {
		return nil, errNotSettled
	}
	return packed(nil).list(2).text(v.text).text(becomes), nil
}

func (v value) newFields(change *expr.Change, number int) (packed, error) {
	edit, err := change.Of(v.record)
	if err != nil || edit.Empty() {
		return nil, err
	}
	fields := change.Reads()
	p := make(packed, 0, 128).list(2 + len(fields) + 2*len(edit.Set) + len(edit.Remove)).number(number).number(len(edit.Set))
	for _, field := range fields {
		if was, there := v.record[field]; there {
			p = p.text(was.(string))
		} else {
			p = p.absent()
		}
	}
	for _, set := range edit.Set {
		text, err := expr.Text(set.Value)
		if err != nil {
			return nil, err
		}
		v.record[set.Field] = text
		p = p.text(set.Field).text(text)
	}
	for _, field := range edit.Remove {
		delete(v.record, field)
		p = p.text(field)
	}
	if again, err := change.Of(v.record); err != nil || !again.Empty() {
		return nil, errNotSettled
	}
	return p, nil
}

// mostTries is how often a value is read again that others change in between.
const mostTries = 100

// rewriteAll rewrites a batch, and gives the reasons of those that could not be
// converted, by key. Nothing is written of those.
func (w *Sweep) rewriteAll(ctx context.Context, all []taken) (rows int64, odd map[string]string, err error) {
	odd = map[string]string{}
	for range mostTries {
		written, changed, err := w.rewriteOnce(ctx, all, odd)
		rows += written
		if err != nil || len(changed) == 0 {
			return rows, odd, err
		}
		all = changed
	}
	return rows, odd, fmt.Errorf("key %s: it was changed %d times between reading and writing", all[0].key, mostTries)
}

// rewriteOnce gives the keys that were changed between reading and writing.
func (w *Sweep) rewriteOnce(ctx context.Context, all []taken, odd map[string]string) (rows int64, changed []taken, err error) {
	edits, err := w.rewritings(ctx, all, odd)
	if err != nil {
		return 0, nil, err
	}
	return w.write(ctx, edits)
}

// edit is what is to be written of a key, see rewrite.lua.
type edit struct {
	taken
	arg packed
}

// rewritings reads values, and says what is to be written of them.
func (w *Sweep) rewritings(ctx context.Context, all []taken, odd map[string]string) ([]edit, error) {
	values, err := w.store.values(ctx, all)
	if err != nil {
		return nil, err
	}
	var edits []edit
	for i, t := range all {
		arg, err := values[i].becomes(t.rule.change, t.rule.number)
		if known, is := errors.AsType[*expr.UnconvertibleError](err); is {
			odd[t.key] = known.Error()
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", t.key, err)
		}
		if len(arg) > 0 {
			edits = append(edits, edit{t, arg})
		}
	}
	return edits, nil
}

// write performs edits, those of keys in one slot in one script.
func (w *Sweep) write(ctx context.Context, edits []edit) (rows int64, changed []taken, err error) {
	lists := map[int][]int{}
	for i, e := range edits {
		of := w.store.slotOf(e.key)
		lists[of] = append(lists[of], i)
	}
	var fields packed // those of all rules
	if len(edits) > 0 {
		fields = edits[0].rule.fields
	}
	var trips []trip
	var order [][]int
	for _, list := range lists {
		t := trip{script: rewriteScript, limit: workLimit}
		t.keys, t.args = w.held(w.store.full(edits[list[0]].key))
		t.args = append(t.args, []byte(fields))
		for _, i := range list {
			t.keys = append(t.keys, w.store.full(edits[i].key))
			t.args = append(t.args, []byte(edits[i].arg))
		}
		trips, order = append(trips, t), append(order, list)
	}
	replies, err := w.store.pipeline(ctx, trips)
	if err != nil {
		return 0, nil, err
	}
	for k, reply := range replies {
		words, err := w.oddOf(reply, len(order[k]))
		if err != nil {
			return rows, nil, fmt.Errorf("key %s: %w", edits[order[k][0]].key, err)
		}
		rows += int64(len(order[k]) - len(words))
		for n, word := range words {
			e := edits[order[k][n]]
			if word == "changed" {
				changed = append(changed, e.taken)
				continue
			}
			err := w.store.failed("work", strings.TrimPrefix(word, "failed "), w.task)
			return rows, nil, fmt.Errorf("key %s: %w", e.key, err)
		}
	}
	return rows, changed, nil
}
