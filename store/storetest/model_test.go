package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// world is a store in memory, sound but for the bug that is planted in it.
type world struct {
	bug string

	mu       sync.Mutex
	prepared bool
	format   int
	rev      int64
	notes    map[string]store.Note
	seeded   bool
	tags     []string
	rows     []int
	alone    bool
	blocked  chan struct{} // closed when the block is given back
	sessions map[string]*working
}

// working is a session at work.
type working struct {
	store.Session
	end func()
}

type model struct {
	*world
	closed bool
	cache  map[string]store.View
}

var errClosed = errors.New("closed")

func (m *model) enter(ctx context.Context) error {
	if m.closed && m.bug != "a closed store works" {
		return errClosed
	}
	return ctx.Err()
}

func (w *world) known() error {
	if w.format > store.Format {
		return &store.NewerError{Found: w.format, Known: store.Format}
	}
	return nil
}

func (m *model) Survey(ctx context.Context) (store.Survey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.enter(ctx), m.known()); err != nil {
		return store.Survey{}, err
	}
	s := store.Survey{Server: "memory", Place: "here", Stamped: m.prepared, Empty: !m.seeded}
	if m.seeded {
		s.Evidence = []string{"tags", "rows"}
	}
	if m.bug == "the books are evidence" && m.prepared {
		s.Empty, s.Evidence = false, []string{"notes"}
	}
	return s, nil
}

func (m *model) Prepare(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	if m.bug == "Prepare takes newer books back" {
		m.format = store.Format
	}
	if err := m.known(); err != nil {
		return err
	}
	if !m.prepared || m.bug == "Prepare wipes the notes" {
		m.prepared, m.format, m.notes = true, store.Format, map[string]store.Note{}
	}
	return nil
}

func (m *model) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return store.View{}, err
	}
	if err := m.known(); err != nil && m.bug != "Look reads newer books" {
		return store.View{}, err
	}
	id := strings.Join(prefixes, "\x00")
	if seen, ok := m.cache[id]; ok && m.bug == "Look is cached" {
		return seen, nil
	}
	if m.bug == "Look makes the books" {
		m.prepared = true
	}
	view := store.View{Now: time.Now().UTC()}
	if m.bug == "the clock is an hour ahead in summer" {
		view.Now = view.Now.Add(2 * time.Hour)
	}
	for key, n := range m.notes {
		for range m.matches(key, prefixes) {
			view.Notes = append(view.Notes, n)
		}
		if m.bug == "Look writes the time" {
			n.At = view.Now
			m.notes[key] = n
		}
	}
	sort.Slice(view.Notes, func(i, j int) bool {
		if m.bug == "Look orders without case" {
			return strings.ToLower(view.Notes[i].Key) < strings.ToLower(view.Notes[j].Key)
		}
		return view.Notes[i].Key < view.Notes[j].Key
	})
	m.cache[id] = view
	return view, nil
}

// matches says how many times a note is in the view.
func (w *world) matches(key string, prefixes []string) int {
	if len(prefixes) == 0 {
		return 1
	}
	found := 0
	for _, prefix := range prefixes {
		ok := strings.HasPrefix(key, prefix)
		switch w.bug {
		case "a prefix is a LIKE pattern":
			ok = like(key, prefix+"%")
		case "a prefix has no upper end":
			ok = key >= prefix
		case "prefixes ignore case":
			ok = strings.HasPrefix(strings.ToLower(key), strings.ToLower(prefix))
		}
		if ok {
			found++
		}
	}
	if w.bug == "a note under two prefixes comes twice" {
		return found
	}
	return min(found, 1)
}

func like(text, pattern string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '%':
		return like(text, pattern[1:]) || text != "" && like(text[1:], pattern)
	}
	return text != "" && (pattern[0] == '_' || pattern[0] == text[0]) && like(text[1:], pattern[1:])
}

func (m *model) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	if err := m.known(); err != nil && m.bug != "Swap writes into newer books" {
		return nil, err
	}
	if err := m.check(guard); err != nil && m.bug != "Swap ignores guards" {
		return nil, err
	}
	return m.put(set)
}

func (w *world) check(guard []store.Note) error {
	for i, g := range guard {
		if i > 0 && w.bug == "only the first guard counts" {
			break
		}
		if w.notes[g.Key].Rev != g.Rev {
			if w.bug == "a lost guard looks like a conflict" {
				return &store.ConflictError{Key: g.Key}
			}
			return &store.ConflictError{Key: g.Key, Guard: true}
		}
	}
	return nil
}

// put writes all notes or none.
func (w *world) put(set []store.Note) ([]store.Note, error) {
	for _, n := range set {
		if err := w.expected(n); err != nil && w.bug != "Swap stops halfway" {
			return nil, err
		}
	}
	if w.bug == "compare and swap are two moments" {
		w.mu.Unlock()
		time.Sleep(50 * time.Microsecond)
		w.mu.Lock()
	}
	var written []store.Note
	for _, n := range set {
		if err := w.expected(n); err != nil && w.bug == "Swap stops halfway" {
			return nil, err
		}
		written = append(written, w.putOne(n))
	}
	return written, nil
}

func (w *world) expected(n store.Note) error {
	rev := w.notes[n.Key].Rev
	switch {
	case n.Rev == store.Any, n.Rev == rev:
		if n.Rev == store.Any && n.Value == nil && rev == 0 && w.bug == "deleting nothing is a conflict" {
			return &store.ConflictError{Key: n.Key}
		}
		return nil
	case n.Rev == store.Absent && w.bug == "Absent overwrites":
		return nil
	case w.bug == "a conflict names no note":
		return &store.ConflictError{}
	}
	return &store.ConflictError{Key: n.Key}
}

func (w *world) putOne(n store.Note) store.Note {
	before := w.notes[n.Key]
	switch w.bug {
	case "a note made anew starts at revision one":
		w.rev = before.Rev
	case "revisions go on from the highest that is left":
		w.rev = 0
		for _, other := range w.notes {
			w.rev = max(w.rev, other.Rev)
		}
	}
	w.rev++
	n.Rev, n.At = w.rev, time.Now().UTC()
	if !before.At.IsZero() && w.bug == "At is the creation" {
		n.At = before.At
	}
	if w.bug == "numbers go through floating point" && n.Value != nil {
		var v any
		_ = json.Unmarshal(n.Value, &v)
		n.Value, _ = json.Marshal(v)
	}
	if n.Value == nil {
		delete(w.notes, n.Key)
		return n
	}
	w.notes[n.Key] = n
	return n
}

func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
