package redis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/stopover-dev/stopover/internal/expr"
)

// value is what a key was read to hold.
type value struct {
	sort   string // as TYPE says it
	text   string // of a string
	record map[string]any
}

// values gives what keys hold, as far as their rules look at it.
func (s *Store) values(ctx context.Context, all []taken) ([]value, error) {
	trips := make([]trip, len(all))
	for i, t := range all {
		trips[i] = trip{script: valueScript, keys: []string{s.full(t.key)}, args: texts(t.rule.change.Reads()), limit: workLimit}
	}
	replies, err := s.pipeline(ctx, trips)
	if err != nil {
		return nil, err
	}
	values := make([]value, len(all))
	for i, reply := range replies {
		parts, _ := reply.([]any)
		if len(parts) == 0 {
			return nil, fmt.Errorf("%s: the answer %v is not understood", s.place, reply)
		}
		v := value{sort: text(parts[0])}
		if v.sort == "string" && len(parts) == 2 {
			v.text = text(parts[1])
		}
		if v.sort == "hash" && len(parts) == 2 {
			list, _ := parts[1].([]any)
			v.record = map[string]any{}
			for k, field := range all[i].rule.change.Reads() {
				if k < len(list) && list[k] != nil {
					v.record[field] = text(list[k])
				}
			}
		}
		values[i] = v
	}
	return values, nil
}

// becomes gives the arguments of the script that writes what becomes of a value;
// none if it stays as it is. The error is an *expr.UnconvertibleError if the
// rule's policy is to decide.
func (v value) becomes(change *expr.Change) ([]string, error) {
	switch v.sort {
	case "none":
		return nil, nil
	case "string":
		return v.newText(change)
	case "hash":
		return v.newFields(change)
	}
	return nil, &expr.UnconvertibleError{Reason: "it is a " + v.sort + ", neither a hash nor a string"}
}

// errNotSettled says that an expression changes what it made. It is a mistake of
// the rewriting, whatever its policy is.
var errNotSettled = errors.New("a second run would change it once more: " +
	"give the rewriting a where: that does not hold for what is rewritten")

func (v value) newText(change *expr.Change) ([]string, error) {
	becomes, err := change.JSON(v.text)
	if err != nil || becomes == v.text {
		return nil, err
	}
	if again, err := change.JSON(becomes); err != nil || again != becomes {
		return nil, errNotSettled
	}
	return []string{"string", v.text, becomes}, nil
}

func (v value) newFields(change *expr.Change) ([]string, error) {
	edit, err := change.Of(v.record)
	if err != nil || edit.Empty() {
		return nil, err
	}
	args := []string{"hash", strconv.Itoa(len(change.Reads()))}
	for _, field := range change.Reads() {
		was, there := v.record[field]
		args = append(args, field, word(there), "")
		if there {
			args[len(args)-1] = was.(string)
		}
	}
	after := maps.Clone(v.record)
	args = append(args, strconv.Itoa(len(edit.Set)))
	for _, set := range edit.Set {
		text, err := expr.Text(set.Value)
		if err != nil {
			return nil, err
		}
		after[set.Field] = text
		args = append(args, set.Field, text)
	}
	args = append(args, strconv.Itoa(len(edit.Remove)))
	for _, field := range edit.Remove {
		delete(after, field)
		args = append(args, field)
	}
	if again, err := change.Of(after); err != nil || !again.Empty() {
		return nil, errNotSettled
	}
	return args, nil
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
	trips, written, err := w.rewritings(ctx, all, odd)
	if err != nil {
		return 0, nil, err
	}
	return w.write(ctx, trips, written)
}

// rewritings reads values, and makes the calls that write what becomes of them.
func (w *Sweep) rewritings(ctx context.Context, all []taken, odd map[string]string) (trips []trip, written []taken, err error) {
	values, err := w.store.values(ctx, all)
	if err != nil {
		return nil, nil, err
	}
	for i, t := range all {
		args, err := values[i].becomes(t.rule.change)
		if known, is := errors.AsType[*expr.UnconvertibleError](err); is {
			odd[t.key] = known.Error()
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("key %s: %w", t.key, err)
		}
		if len(args) > 0 {
			trips = append(trips, w.trip(rewriteScript, w.store.full(t.key), args))
			written = append(written, t)
		}
	}
	return trips, written, nil
}

func (w *Sweep) write(ctx context.Context, trips []trip, written []taken) (rows int64, changed []taken, err error) {
	replies, err := w.store.pipeline(ctx, trips)
	if err != nil {
		return 0, nil, err
	}
	for i, reply := range replies {
		answer, err := w.answer(reply)
		if err != nil {
			return rows, nil, fmt.Errorf("key %s: %w", written[i].key, err)
		}
		if text(answer) == "changed" {
			changed = append(changed, written[i])
			continue
		}
		rows++
	}
	return rows, changed, nil
}
