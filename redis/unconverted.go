package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/stopover-dev/stopover/internal/expr"
	"github.com/stopover-dev/stopover/store"
)

// UnconvertedError says that values cannot be converted, and that the rewriting
// does not say to pass them by. They are as they were.
type UnconvertedError struct{ Keys []string }

func (e *UnconvertedError) Error() string {
	return fmt.Sprintf("values cannot be converted and stay as they are (%d in this batch): %s", len(e.Keys), some(e.Keys))
}

func (e *UnconvertedError) advice() string {
	return "correct them and run the same command again, or say in the file what becomes of them (unconvertible: keep or quarantine)"
}

// unconverted is the key of the list: a hash of reasons by key without prefix.
func (k keyspace) unconverted() string { return k.books + ":unconverted" }

// Unconverted gives the reasons of all values that rewritings passed by, by key.
func (s *Store) Unconverted(ctx context.Context) (map[string]string, error) {
	answer, err := s.ask(ctx, readScript, []string{s.unconverted()}, "HGETALL", s.unconverted())
	if err != nil {
		return nil, err
	}
	parts, _ := answer.([]any)
	if len(parts) != 2 {
		return nil, fmt.Errorf("%s: the answer %v is not understood", s.place, answer)
	}
	list, _ := parts[0].([]any)
	all := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		all[text(list[i])] = text(list[i+1])
	}
	return all, nil
}

// setAside does what the policies say with the values of a batch that could not
// be converted. The copies are made before the list: if the process dies in
// between, the stretch is done again and finds them equal.
func (w *Sweep) setAside(ctx context.Context, all []taken, odd map[string]string) error {
	refused := &UnconvertedError{}
	var copies []pair
	listed := map[string]string{}
	var fine []string
	for _, t := range all {
		reason, is := odd[t.key]
		switch {
		case !is:
			fine = append(fine, t.key)
			continue
		case t.rule.policy == Fail:
			refused.Keys = append(refused.Keys, fmt.Sprintf("%s (%s)", t.key, reason))
			continue
		case t.rule.policy == Quarantine:
			copies = append(copies, t.aside)
		}
		listed[t.key] = reason
	}
	if _, err := w.copyOffline(ctx, copies); err != nil {
		return err
	}
	if err := w.list(ctx, listed, fine); err != nil {
		return err
	}
	if len(refused.Keys) > 0 {
		return refused
	}
	return nil
}

// list puts keys on the list with their reasons, and takes others from it.
func (w *Sweep) list(ctx context.Context, reasons map[string]string, others []string) error {
	args := []string{strconv.Itoa(len(reasons))}
	for _, key := range slices.Sorted(maps.Keys(reasons)) {
		args = append(args, key, reasons[key])
	}
	args = append(append(args, strconv.Itoa(len(others))), others...)
	replies, err := w.store.pipeline(ctx, []trip{w.trip(unconvertedScript, w.store.unconverted(), args)})
	if err != nil {
		return err
	}
	_, err = w.answer(replies[0])
	return err
}

// Rewritten is a verification of a Rewrite: it lists each value that a rewriting
// would still change, and each that it cannot convert, unless the rewriting says
// to pass those by.
type Rewritten struct{ Rewrite Rewrite }

// Shape tells that it is a Query.
func (r Rewritten) Shape() store.Shape { return store.Query }

// Statements gives one, for people and for the step's checksum.
func (r Rewritten) Statements() []store.Statement {
	return []store.Statement{{Text: "verify that values are rewritten\n" + r.Rewrite.String()}}
}

func (r Rewritten) seek(ctx context.Context, reader *Reader, report func(line string)) error {
	var cursor []byte
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, next, end, err := reader.Scan(ctx, r.Rewrite.match(), cursor, scanCount)
		if err != nil {
			return err
		}
		all, err := r.Rewrite.among(keys)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(all, batchSize) {
			if err := reader.store.notRewritten(ctx, part, report); err != nil {
				return err
			}
		}
		cursor, done = next, end
	}
	return nil
}

func (s *Store) notRewritten(ctx context.Context, all []taken, report func(line string)) error {
	values, err := s.values(ctx, all)
	if err != nil {
		return err
	}
	for i, t := range all {
		arg, err := values[i].becomes(t.rule.change, t.rule.number)
		_, odd := err.(*expr.UnconvertibleError)
		switch {
		case odd && t.rule.policy == Fail, err != nil && !odd:
			report(fmt.Sprintf("%s: %s", t.key, err))
		case len(arg) > 0:
			report(t.key + ": it is not rewritten")
		}
	}
	return nil
}
