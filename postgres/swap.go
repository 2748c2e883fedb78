package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// Swap writes all notes of set or none.
func (s *Store) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	for attempt := 1; ; attempt++ {
		notes, err := s.swapOnce(ctx, guard, set)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != deadlock && refused.Code != serialization {
			return notes, err
		}
		if attempt == 5 {
			return nil, &store.ConflictError{Key: firstKey(guard, set)}
		}
	}
}

func firstKey(lists ...[]store.Note) string {
	for _, list := range lists {
		for _, note := range list {
			return note.Key
		}
	}
	return ""
}

func (s *Store) swapOnce(ctx context.Context, guard, set []store.Note) ([]store.Note, error) {
	done, err := s.doneSQL(guard, set, false)
	if err != nil {
		return nil, err
	}
	written := make(map[string]store.Note, len(set))
	var m message
	s.begin(&m)
	m.own("SET LOCAL lock_timeout = " + millis(swapWait))
	m.ask(done, writtenNotes(written))
	m.own("COMMIT")
	completed, err := s.run(ctx, &m)
	if err != nil {
		return nil, fmt.Errorf("write notes of %s: %w", s.place, s.booksFault(ctx, &m, completed, err))
	}
	notes := slices.Clone(set)
	for i, note := range notes {
		notes[i].Rev, notes[i].At = written[note.Key].Rev, written[note.Key].At
	}
	return notes, nil
}

// swapWait is the longest wait for a note that somebody else is writing. Notes
// are locked for microseconds, unless a holder was stopped in its COMMIT.
const swapWait = 10 * time.Second

// booksFault is fault for messages of ours alone: books that are not there are
// named as such.
func (s *Store) booksFault(ctx context.Context, m *message, completed int, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case undefinedFunc, undefinedTable, undefinedSchema:
			return s.foreignBooks(ctx, refused)
		}
	}
	return s.fault(ctx, m, completed, err, swapWait)
}

// foreignBooks asks why the functions of the books are not as expected: there
// are no books, or a newer Stopover has made others.
func (s *Store) foreignBooks(ctx context.Context, cause error) error {
	if _, err := s.Look(ctx, "\x7f"); err != nil {
		return err
	}
	return fmt.Errorf("%s has no books yet: prepare it first: %w", s.place, cause)
}

// writtenNotes reads what stopover_done gives.
func writtenNotes(into map[string]store.Note) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			for line := range strings.Lines(string(r.Values()[0])) {
				fields := strings.Fields(line)
				if len(fields) != 3 {
					return fmt.Errorf("read what was written: %q is no note with its revision and time", line)
				}
				note, err := readNote([][]byte{[]byte(fields[0]), []byte(fields[1]), []byte(fields[2])})
				if err != nil {
					return err
				}
				into[note.Key] = note
			}
		}
		return nil
	}
}

// noteOp is one line of what stopover_done is told.
type noteOp struct {
	op    byte
	key   string
	rev   int64
	value []byte
}

// noteOps puts guards and notes into one order, that of their keys.
func noteOps(guard, set []store.Note) ([]noteOp, error) {
	var ops []noteOp
	written := make(map[string]bool, len(set))
	for _, note := range set {
		if written[note.Key] {
			return nil, fmt.Errorf("note %q is written twice at once", note.Key)
		}
		written[note.Key] = true
		ops = append(ops, writeOp(note))
	}
	for _, note := range guard {
		switch {
		case note.Rev == store.Any:
		case note.Rev == store.Absent:
			ops = append(ops, noteOp{op: 'n', key: note.Key})
		case written[note.Key]:
			ops = append(ops, noteOp{op: 'G', key: note.Key, rev: note.Rev})
		default:
			ops = append(ops, noteOp{op: 'g', key: note.Key, rev: note.Rev})
		}
	}
	slices.SortStableFunc(ops, func(a, b noteOp) int {
		if a.key != b.key {
			return strings.Compare(a.key, b.key)
		}
		return rank(a.op) - rank(b.op)
	})
	return ops, nil
}

// rank puts the guard of a note before its write, which changes the revision.
func rank(op byte) int {
	if op == 'g' || op == 'G' || op == 'n' {
		return 0
	}
	return 1
}

func writeOp(note store.Note) noteOp {
	op := noteOp{key: note.Key, rev: note.Rev, value: note.Value}
	switch {
	case note.Value == nil && note.Rev == store.Any:
		op.op = 'x'
	case note.Value == nil && note.Rev == store.Absent:
		op.op = 'N'
	case note.Value == nil:
		op.op = 'd'
	case note.Rev == store.Any:
		op.op = 'a'
	case note.Rev == store.Absent:
		op.op = 'i'
	default:
		op.op = 'u'
	}
	return op
}

// doneSQL calls stopover_done. within: inside a transaction that enterSQL began.
func (s *Store) doneSQL(guard, set []store.Note, within bool) (string, error) {
	ops, err := noteOps(guard, set)
	if err != nil {
		return "", err
	}
	var letters, keys, revs, values []string
	for _, op := range ops {
		letters = append(letters, string(op.op))
		keys = append(keys, quote(op.key))
		revs = append(revs, strconv.FormatInt(op.rev, 10))
		if op.value == nil {
			values = append(values, "NULL")
		} else {
			values = append(values, quote(string(op.value)))
		}
	}
	return fmt.Sprintf("SELECT %s(%d, %t, '%s', %s, %s, %s)", s.books("done"), store.Format, within,
		strings.Join(letters, ""), array(keys, "text"), array(revs, "bigint"), array(values, "text")), nil
}

func array(items []string, kind string) string {
	return "ARRAY[" + strings.Join(items, ",") + "]::" + kind + "[]"
}

// millis gives a duration as settings want it. Less than one millisecond is
// one: zero would switch the setting off.
func millis(d time.Duration) string {
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10)
}
