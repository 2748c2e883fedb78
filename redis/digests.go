package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// digestsOf gives the key that holds the digests of a share of a layout's
// sources: a hash without values, a field of 16 bytes for each source. The shares
// are those of the slots, so that one script can look at the digests and delete a
// source; and they are small, which servers store best.
func (s *Store) digestsOf(layout Layout, share int) string {
	name := "digests:" + layoutSum(layout)
	if !s.net.cluster || s.tagged() {
		name += ":" + strconv.Itoa(share)
	}
	return s.placed(share, name)
}

// shareOf gives the share of a source, a full key.
func (s *Store) shareOf(key string) int {
	if !s.net.cluster || s.tagged() {
		key = strings.ReplaceAll(key, "{", "(") // all of it decides
	}
	return slot(key)
}

// Seal is a step that compares every source with its target, and keeps a digest
// of each: of its name, content and end. From then on the targets may change, and
// DeleteSources can still tell whether a source is what was carried over. It is for
// sources that nobody writes to any more; one that differs from its target fails
// the step. It is Stretched, and may be repeated.
type Seal struct{ Layout Layout }

// Shape tells that it goes over many keys.
func (a Seal) Shape() store.Shape { return store.Stretched }

// Statements gives one, for people and for the step's checksum.
func (a Seal) Statements() []store.Statement {
	return []store.Statement{{Text: "keep digests of the sources: " + a.Layout.String()}}
}

// DivergedError says that sources are not what their targets are.
type DivergedError struct{ Keys []string }

func (e *DivergedError) Error() string {
	return fmt.Sprintf("sources are not what their targets are (%d in this stretch): %s", len(e.Keys), some(e.Keys))
}

func (e *DivergedError) advice() string {
	return "somebody wrote to them after they were compared: stop who does, and run the same command again, which compares all again"
}

// sweep forgets what was kept before it begins. Digests of an earlier time are of
// targets of that time: a copy that was taken back and made anew would have
// sources deleted that went back to what they had been. If the process dies in
// between, the verification is not done, and all of this is done again.
func (a Seal) sweep(ctx context.Context, w *Sweep, cursor []byte, size int) ([]byte, bool, int64, error) {
	if len(cursor) == 0 {
		if err := w.forget(ctx, a.Layout); err != nil {
			return nil, false, 0, err
		}
	}
	match := literal.Replace(beginning(a.Layout.Sources())) + "*"
	keys, next, done, err := w.Scan(ctx, match, cursor, size)
	if err != nil {
		return nil, false, 0, err
	}
	pairs, err := sourcesAmong(a.Layout, keys)
	if err != nil {
		return nil, false, 0, err
	}
	var rows int64
	diverged := &DivergedError{}
	for part := range slices.Chunk(pairs, batchSize) {
		kept, differing, err := w.seal(ctx, a.Layout, part)
		if err != nil {
			return nil, false, rows, err
		}
		rows += kept
		diverged.Keys = append(diverged.Keys, differing...)
	}
	if len(diverged.Keys) > 0 {
		return nil, false, rows, diverged
	}
	return next, done, rows, nil
}

// seal keeps the digests of a batch, and gives the sources that differ. What the
// target holds is read first: the source's script then sees source and digest at
// one moment.
func (w *Sweep) seal(ctx context.Context, layout Layout, pairs []pair) (kept int64, differing []string, err error) {
	s := w.store
	tos := make([]string, len(pairs))
	for i, p := range pairs {
		tos[i] = p.to
	}
	states, err := s.states(ctx, tos)
	if err != nil {
		return 0, nil, err
	}
	words, err := w.onSources(ctx, sealScript, layout, pairs, func(i int) []any {
		return []any{states[i].holds, strconv.FormatInt(states[i].ends, 10), tolerance.Milliseconds()}
	})
	if err != nil {
		return 0, nil, err
	}
	for i, word := range words {
		switch word {
		case "kept":
			kept++
		case "differs":
			differing = append(differing, pairs[i].from)
		}
	}
	return kept, differing, nil
}

// onSources performs a script on the source of each pair, beside the digests of
// its share, and gives a word for each.
func (w *Sweep) onSources(ctx context.Context, script *script, layout Layout, pairs []pair, args func(i int) []any) ([]string, error) {
	s := w.store
	trips := make([]trip, len(pairs))
	for i, p := range pairs {
		key := s.full(p.from)
		t := trip{script: script, limit: workLimit}
		t.keys, t.args = w.held(key)
		t.keys = append(t.keys, s.digestsOf(layout, s.shareOf(key)), key)
		t.args = append(t.args, args(i)...)
		trips[i] = t
	}
	replies, err := s.pipeline(ctx, trips)
	if err != nil {
		return nil, err
	}
	words := make([]string, len(pairs))
	for i, reply := range replies {
		answer, err := w.answer(reply)
		if err != nil {
			return nil, err
		}
		list, _ := answer.([]any)
		if len(list) != 1 {
			return nil, fmt.Errorf("%s: the answer %v is not understood", s.place, reply)
		}
		words[i] = text(list[0])
	}
	return words, nil
}
