package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/stopover-dev/stopover/store"
)

// DeleteSources is a step that deletes every source of a layout of which Seal
// kept a digest, and which is still what it was then, or which is what its target
// is now; and the keys that the layout drops by name. Each key is looked at in the script that deletes it. A source
// without a proof is left alone, and fails the step once all others are gone. A
// key that the layout does not mention or cannot tell fails it before anything is
// deleted.
//
// It is Stretched, and may be repeated.
//
// With Live it is about a copy that had a Cutover: the digests were kept behind
// that, from sources that nobody could write any more.
type DeleteSources struct {
	Layout Layout
	Live   bool
}

// Shape tells that it goes over many keys.
func (d DeleteSources) Shape() store.Shape { return store.Stretched }

// Statements gives one, for people and for the step's checksum.
func (d DeleteSources) Statements() []store.Statement {
	return []store.Statement{{Text: "delete sources: " + d.Layout.String()}}
}

// Seals gives what keeps the proofs. A migration performs it with its verify.
func (d DeleteSources) Seals() store.Action {
	if d.Live {
		return nil
	}
	return Seal{Layout: d.Layout}
}

// UnprovenError says that sources were left alone because no digest proves that
// they were carried over: they were written to later, or were never compared.
type UnprovenError struct {
	Keys    []string
	Because []string // of the first ten keys: what is between source and target now
}

func (e *UnprovenError) Error() string {
	lines := slices.Clone(e.Keys)
	for i, because := range e.Because {
		lines[i] += " (" + because + ")"
	}
	stay := "sources stay"
	if len(lines) == 1 {
		stay = "source stays"
	}
	return fmt.Sprintf("%d %s: nothing proves that what is there now was carried over; it was written later, or never compared: %s",
		len(lines), stay, some(lines))
}

func (e *UnprovenError) advice() string {
	return "all other sources are deleted. Write into the target what is worth keeping of such a source, delete the source, and run the same command again"
}

// UncoveredError says that keys are below the prefix of which the layout says
// nothing.
type UncoveredError struct{ Keys []string }

func (e *UncoveredError) Error() string {
	return "nothing was deleted: " + some(e.Keys)
}

func (e *UncoveredError) advice() string {
	return "the file is applied and cannot be changed any more: delete these keys or move them out of the store's prefix, and run the same command again"
}

// sweep looks for uncovered keys in the first stretch, then deletes. What is
// left is gone over in the last one. At the end the digests go: if the process
// dies before, the next run finds sources gone.
func (d DeleteSources) sweep(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
	if len(cursor) == 0 {
		if err := d.prepare(ctx, w); err != nil {
			return nil, false, 0, err
		}
	}
	keys, next, done, err := w.Scan(ctx, "*", cursor, size)
	if err != nil {
		return nil, false, 0, err
	}
	sources, err := sourcesAmong(d.Layout, keys)
	if err != nil {
		return nil, false, 0, err
	}
	rows, _, err := d.proven(ctx, w, sources)
	if err != nil {
		return nil, false, rows, err
	}
	more, _, err := w.deleteAll(ctx, d.Layout, d.dropped(keys), true)
	rows += more
	if err != nil || !done {
		return next, done, rows, err
	}
	if more, err = d.rest(ctx, w); err == nil {
		err = d.finish(ctx, w)
	}
	return next, done, rows + more, err
}

// prepare looks for what forbids to delete, and for proofs that are missing.
func (d DeleteSources) prepare(ctx context.Context, w *Sweep) error {
	if err := d.covered(ctx, w); err != nil || !d.Live {
		return err
	}
	a, err := w.store.authorityOf(ctx, d.Layout)
	if err == nil && a.rev == store.Absent {
		a.Targets = true // adopted behind the cutover, which another tool has made: a source must equal its target
	}
	if err == nil && !a.Targets {
		err = errors.New("the sources are the keys that count: the cutover has not been made")
	}
	if err == nil && !a.Sealed {
		err = w.makeUp(ctx, d.Layout, &a)
	}
	return err
}

// finish forgets what was kept for deleting. A fence of the cutover's own is lifted:
// nothing is left behind it.
func (d DeleteSources) finish(ctx context.Context, w *Sweep) error {
	if err := w.forget(ctx, d.Layout); err != nil || !d.Live {
		return err
	}
	a, err := w.store.authorityOf(ctx, d.Layout)
	if err != nil {
		return err
	}
	return w.store.liftOwn(ctx, d.Layout, &a, w.task)
}

// proven deletes the sources of which a digest was kept. One without that still is
// what its target is needs no other proof: its digest is kept now. So it is with
// sources that another tool has carried over. It gives those that are left.
func (d DeleteSources) proven(ctx context.Context, w *Sweep, sources []pair) (rows int64, left []string, err error) {
	rows, left, err = w.deleteAll(ctx, d.Layout, sources, false)
	if err != nil || len(left) == 0 {
		return rows, left, err
	}
	again, err := sourcesAmong(d.Layout, left)
	if err != nil {
		return rows, left, err
	}
	for part := range slices.Chunk(again, batchSize) {
		if _, _, err := w.seal(ctx, d.Layout, part); err != nil {
			return rows, left, err
		}
	}
	more, left, err := w.deleteAll(ctx, d.Layout, again, false)
	return rows + more, left, err
}

// rest goes over the sources that are left, and fails if any has no proof. One
// that had none in its stretch may have it now, when a failed step is repeated.
func (d DeleteSources) rest(ctx context.Context, w *Sweep) (rows int64, err error) {
	unproven := &UnprovenError{}
	match := literal.Replace(beginning(d.Layout.Sources())) + "*"
	var cursor []byte
	for done := false; !done && len(unproven.Keys) < scanCount; {
		var keys []string
		if keys, cursor, done, err = w.Scan(ctx, match, cursor, scanCount); err != nil {
			return rows, err
		}
		sources, err := sourcesAmong(d.Layout, keys)
		if err != nil {
			return rows, err
		}
		more, left, err := d.proven(ctx, w, sources)
		if err != nil {
			return rows, err
		}
		rows += more
		unproven.Keys = append(unproven.Keys, left...)
	}
	if len(unproven.Keys) > 0 {
		slices.Sort(unproven.Keys) // a scan may give a key twice
		unproven.Keys = slices.Compact(unproven.Keys)
		unproven.Because, err = w.betweenTargets(ctx, d.Layout, unproven.Keys[:min(len(unproven.Keys), mostNamed)])
		return rows, errors.Join(err, unproven)
	}
	return rows, nil
}

// betweenTargets says of sources how their targets differ from them.
func (w *Sweep) betweenTargets(ctx context.Context, layout Layout, keys []string) ([]string, error) {
	pairs, err := sourcesAmong(layout, keys)
	if err != nil {
		return nil, err
	}
	because := map[string]string{}
	differing, err := w.store.differing(ctx, pairs, tolerance)
	for _, d := range differing {
		because[d.from] = d.because
	}
	lines := make([]string, len(keys))
	for i, key := range keys {
		if lines[i] = because[key]; lines[i] == "" {
			lines[i] = "it equals its target"
		}
	}
	return lines, err
}

// covered goes over all keys for those of which the layout says nothing.
func (d DeleteSources) covered(ctx context.Context, w *Sweep) error {
	uncovered := &UncoveredError{}
	var cursor []byte
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, next, end, err := w.Scan(ctx, "*", cursor, scanCount)
		if err != nil {
			return err
		}
		_, _, odd, err := Compare{Layout: d.Layout}.sorted(keys)
		if err != nil {
			return err
		}
		uncovered.Keys = append(uncovered.Keys, odd...)
		if len(uncovered.Keys) >= scanCount {
			break // a list that nobody would read to its end
		}
		cursor, done = next, end
	}
	if len(uncovered.Keys) > 0 {
		return uncovered
	}
	return nil
}

// dropped gives the keys that the layout drops by name, as pairs without target.
func (d DeleteSources) dropped(keys []string) []pair {
	var all []pair
	for _, key := range keys {
		if _, as, err := placeOf(d.Layout, key); err == nil && as == neither && d.Layout.Fate(key) == Dropped {
			all = append(all, pair{from: key})
		}
	}
	return all
}

// deleteAll deletes the sources of pairs, and gives those that have no proof.
func (w *Sweep) deleteAll(ctx context.Context, layout Layout, pairs []pair, unproven bool) (rows int64, left []string, err error) {
	for part := range slices.Chunk(pairs, batchSize) {
		words, err := w.onSources(ctx, deleteScript, layout, part, func(int) []any { return []any{word(unproven)} })
		if err != nil {
			return rows, left, err
		}
		for i, word := range words {
			switch word {
			case "deleted":
				rows++
			case "unproven":
				left = append(left, part[i].from)
			}
		}
	}
	return rows, left, nil
}
