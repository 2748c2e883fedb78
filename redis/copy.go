package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stopover-dev/stopover/store"
)

// Copy is a step that brings every source of a layout to its target, while
// nobody writes to either. Sources stay. All types are copied, with the time of
// their end. A target that is there already and equals its source is left alone,
// so it may be repeated; one that differs is never overwritten: the step fails
// and lists it.
//
// It is Stretched. What is written to sources meanwhile it may miss; Compare
// finds that.
//
// With Live, writers may be at work: their changes are followed, also when all keys
// were gone over, until the Cutover or the end of the run. Only targets that differ
// before the first stretch are refused then; from there on nobody else may write
// them.
type Copy struct {
	Layout Layout
	Live   bool
}

// Shape tells that it goes over many keys.
func (c Copy) Shape() store.Shape { return store.Stretched }

// Statements gives one, for people and for the step's checksum.
func (c Copy) Statements() []store.Statement {
	return []store.Statement{{Text: "copy keys: " + c.Layout.String()}}
}

// TakenError says that targets were there before, with other content than their
// sources. None was overwritten.
type TakenError struct{ Keys []string }

func (e *TakenError) Error() string {
	return fmt.Sprintf("targets are there already and are not what their sources are (%d in this batch); nothing was overwritten: %s",
		len(e.Keys), some(e.Keys))
}

func (e *TakenError) advice() string {
	return "find out who wrote them: where the source is right, delete the target; where the target is, delete the source; then run the same command again"
}

// mostNamed is how many keys an error names.
const mostNamed = 10

// some gives the first lines of a list.
func some(lines []string) string {
	if len(lines) > mostNamed {
		return strings.Join(lines[:mostNamed], ", ") + fmt.Sprintf(" and %d more", len(lines)-mostNamed)
	}
	return strings.Join(lines, ", ")
}

// sweep copies about size keys. While batches are copied the scan goes on. If
// the process dies here, the stretch is done again and finds its targets equal.
func (c Copy) sweep(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
	if len(cursor) == 0 {
		if a, err := w.store.authorityOf(ctx, c.Layout); err != nil {
			return nil, false, 0, err
		} else if a.Targets {
			return nil, false, 0, &CutOverError{}
		}
	}
	if c.Live {
		return c.follow(ctx, w, cursor, size)
	}
	var rows atomic.Int64
	scan, err := w.store.beginScan(ctx, literal.Replace(beginning(c.Layout.Sources()))+"*", cursor)
	if err != nil {
		return nil, false, 0, err
	}
	err = inLanes(ctx, w.store.lanes(), func(ctx context.Context, hand func([]pair) error) error {
		return feedSources(ctx, c.Layout, scan, size, hand)
	}, func(ctx context.Context, batch []pair) error {
		n, err := w.copyOffline(ctx, batch)
		rows.Add(n)
		return err
	})
	if err != nil {
		return nil, false, rows.Load(), err
	}
	next, err := scan.cursor()
	return next, scan.done, rows.Load(), err
}

// liveCursor is the cursor of a live copy. Which keys were gone over is known to
// the watch alone: another process has missed changes of all of them.
type liveCursor struct {
	Stretches int `json:"stretches"`
}

// follow is a stretch of a live copy. The first one only looks whether the targets
// are free: once the cursor says so, targets may be those of a run that died.
func (c Copy) follow(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
	m := w.store.mirrorOf(c.Layout, w.task)
	var at liveCursor
	var rows int64
	var done bool
	var err error
	if len(cursor) == 0 {
		err = m.untaken(ctx)
	} else if err = json.Unmarshal(cursor, &at); err == nil {
		rows, done, err = m.advance(ctx, size)
	}
	if err != nil {
		return nil, false, rows, err
	}
	at.Stretches++
	next, err := json.Marshal(at)
	return next, done, rows, err
}

// feedSources goes over about size keys, and hands the sources over in batches.
func feedSources(ctx context.Context, layout Layout, scan *scanning, size int, hand func([]pair) error) error {
	for seen := 0; seen < size && !scan.done; {
		keys, err := scan.more(ctx, size-seen)
		if err != nil {
			return err
		}
		seen += max(len(keys), 1)
		pairs, err := sourcesAmong(layout, keys)
		if err != nil {
			return err
		}
		for batch := range slices.Chunk(pairs, batchSize) {
			if err := hand(batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// sourcesAmong gives the pairs whose sources are among keys. Of targets nothing is
// asked: one that could come from several sources is none of a source that is there,
// or that source is an error.
func sourcesAmong(layout Layout, keys []string) ([]pair, error) {
	known, ok := layout.(templateLayout)
	if !ok {
		sources, _, err := told(layout, keys)
		return sources, err
	}
	sources, _, err := sortedBy(keys, known.sourceOnly)
	return sources, err
}

// told gives the pairs whose sources, and those whose targets, are among keys. Keys
// that the layout cannot tell are an error that lists them.
func told(layout Layout, keys []string) (sources, targets []pair, err error) {
	return sortedBy(keys, func(key string) (pair, role, error) { return placeOf(layout, key) })
}

func sortedBy(keys []string, place func(string) (pair, role, error)) (sources, targets []pair, err error) {
	var unclear []string
	for _, key := range keys {
		p, as, err := place(key)
		if isAmbiguous(err) {
			unclear = append(unclear, err.Error())
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		switch as {
		case source:
			sources = append(sources, p)
		case target:
			targets = append(targets, p)
		}
	}
	if len(unclear) > 0 {
		return nil, nil, &store.StatementError{Statement: 1, Message: some(unclear)}
	}
	return sources, targets, nil
}

// copyOffline copies a batch, and refuses targets that were there and differ.
func (w *Sweep) copyOffline(ctx context.Context, pairs []pair) (rows int64, err error) {
	results, err := w.copyBatch(ctx, pairs, false)
	if err != nil {
		return 0, err
	}
	var taken []pair
	for i, r := range results {
		switch r.became {
		case copied:
			rows++
		case there:
			taken = append(taken, pairs[i])
		case failed:
			return rows, w.notCopied(pairs[i], r.fault)
		}
	}
	differing, err := w.store.comparePairs(ctx, taken, tolerance)
	if err != nil || len(differing) == 0 {
		return rows, err
	}
	refused := &TakenError{}
	for _, d := range differing {
		refused.Keys = append(refused.Keys, fmt.Sprintf("%s (%s)", d.to, d.because))
	}
	return rows, refused
}

// notCopied turns the server's words about a key into an error of the seam.
func (w *Sweep) notCopied(p pair, fault string) error {
	if firstWord(fault) == "NOPERM" { // in a script, servers do not say for what
		return &store.RightsError{Missing: "COPY (inside a slot) or RESTORE (between slots), UNLINK and EXISTS on " + w.store.prefix + "*",
			Err: errors.New(fault)}
	}
	err := w.store.failed("work", fault, w.task)
	if failure := (*store.StatementError)(nil); errors.As(err, &failure) {
		failure.Message = fmt.Sprintf("%s was not copied to %s: %s", p.from, p.to, failure.Message)
	}
	return err
}
