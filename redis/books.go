package redis

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Prepare makes the books. If the process dies in here they are there or not.
func (s *Store) Prepare(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	answer, err := s.ask(ctx, prepareScript, []string{s.books}, store.Format)
	if err != nil {
		return fmt.Errorf("make the books: %w", err)
	}
	format, _ := answer.(string)
	return checkFormat(format)
}

// checkFormat refuses books that a newer build wrote.
func checkFormat(text string) error {
	format, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("read the books: their format is %q, not a number", text)
	}
	if format > store.Format {
		return &store.NewerError{Found: format, Known: store.Format}
	}
	return nil
}

// Look gives the notes under the prefixes and the store's time.
func (s *Store) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	view, _, err := s.look(ctx, prefixes...)
	return view, err
}

// look also tells whether there are books.
func (s *Store) look(ctx context.Context, prefixes ...string) (view store.View, stamped bool, err error) {
	if err := s.ready(ctx); err != nil {
		return store.View{}, false, err
	}
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	answer, err := s.ask(ctx, lookScript, []string{s.books}, append([]any{store.Format}, texts(prefixes)...)...)
	if err != nil {
		return store.View{}, false, fmt.Errorf("look at the notes: %w", err)
	}
	return readView(answer)
}

// readView reads what look.lua answers.
func readView(answer any) (view store.View, stamped bool, err error) {
	parts, ok := answer.([]any)
	if !ok || len(parts) != 4 {
		return view, false, fmt.Errorf("look at the notes: the answer %v is not understood", answer)
	}
	seconds, errSeconds := strconv.ParseInt(text(parts[0]), 10, 64)
	micros, errMicros := strconv.ParseInt(text(parts[1]), 10, 64)
	if errSeconds != nil || errMicros != nil {
		return view, false, fmt.Errorf("look at the notes: the time %v %v is not understood", parts[0], parts[1])
	}
	view.Now = time.UnixMicro(seconds*1_000_000 + micros).UTC()
	format := text(parts[2])
	if format == "" {
		return view, false, nil
	}
	if err := checkFormat(format); err != nil {
		return store.View{}, true, err
	}
	lines, _ := parts[3].([]any)
	for i := 0; i+1 < len(lines); i += 2 {
		note, err := readNote(text(lines[i]), text(lines[i+1]))
		if err != nil {
			return store.View{}, true, err
		}
		view.Notes = append(view.Notes, note)
	}
	sort.Slice(view.Notes, func(a, b int) bool { return view.Notes[a].Key < view.Notes[b].Key })
	return view, true, nil
}

// readNote reads a line of the books: revision, time in microseconds, value.
func readNote(key, line string) (store.Note, error) {
	rev, rest, _ := strings.Cut(line, " ")
	at, value, whole := strings.Cut(rest, " ")
	number, errRev := strconv.ParseInt(rev, 10, 64)
	micros, errAt := strconv.ParseInt(at, 10, 64)
	if !whole || errRev != nil || errAt != nil {
		return store.Note{}, fmt.Errorf("read note %q: its line begins with %.40q", key, line)
	}
	return store.Note{Key: key, Value: []byte(value), Rev: number, At: time.UnixMicro(micros).UTC()}, nil
}

func text(value any) string {
	word, _ := value.(string)
	return word
}
