package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// Look reads the notes in one statement, which sees one moment of the file. A
// file that is not there has no notes, and is not made.
func (s *Store) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	if gone, err := s.place.missing(); err != nil {
		return store.View{}, &store.UnreachableError{Place: s.place.String(), Err: err}
	} else if gone {
		return s.lookAtNothing(ctx)
	}
	var view store.View
	err := s.read(ctx, func(held *session) (err error) {
		view, err = held.look(ctx, prefixes)
		if noTable(err) || errors.Is(err, sql.ErrNoRows) {
			view, err = held.lookAtClock(ctx)
		}
		return err
	})
	return view, err
}

// lookAtNothing answers for a file that is not there: its clock is the
// machine's.
func (s *Store) lookAtNothing(ctx context.Context) (store.View, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.View{}, errClosed
	}
	return store.View{Now: time.Now().UTC().Truncate(time.Millisecond)}, ctx.Err()
}

func (h *session) lookAtClock(ctx context.Context) (store.View, error) {
	var now int64
	err := h.conn.QueryRowContext(ctx, `SELECT `+clock).Scan(&now)
	return store.View{Now: time.UnixMilli(now).UTC()}, err
}

// look always reads the note of the format along, and so has always a row
// that carries the time; sql.ErrNoRows says that even this one is gone.
func (h *session) look(ctx context.Context, prefixes []string) (store.View, error) {
	text, args := lookQuery(prefixes)
	statement, err := h.statement(text)
	if err != nil {
		return store.View{}, err
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return store.View{}, err
	}
	defer rows.Close()
	var view store.View
	for rows.Next() {
		var n store.Note
		var at, now int64
		if err := rows.Scan(&n.Key, &n.Rev, &at, &n.Value, &now); err != nil {
			return store.View{}, err
		}
		n.At = time.UnixMilli(at).UTC()
		view.Now = time.UnixMilli(now).UTC()
		if n.Key == formatKey {
			if err := checkFormat(n.Value); err != nil {
				return store.View{}, err
			}
			if !wanted(n.Key, prefixes) {
				continue
			}
		}
		view.Notes = append(view.Notes, n)
	}
	if err := rows.Err(); err != nil {
		return store.View{}, err
	}
	if view.Now.IsZero() {
		return store.View{}, sql.ErrNoRows
	}
	return view, nil
}

// lookQuery selects ranges of keys: a prefix ends where its last byte is
// raised by one. LIKE and GLOB would give meaning to bytes of the prefix.
func lookQuery(prefixes []string) (string, []any) {
	where := []string{`key = '` + formatKey + `'`}
	var args []any
	for _, prefix := range prefixes {
		if prefix == "" {
			prefixes = nil
			break
		}
		where = append(where, `(key >= ? AND key < ?)`)
		last := len(prefix) - 1
		args = append(args, prefix, prefix[:last]+string(rune(prefix[last]+1)))
	}
	text := `SELECT key, rev, at, value, ` + clock + ` FROM stopover_note`
	if len(prefixes) == 0 {
		return text + ` ORDER BY key`, nil
	}
	return text + ` WHERE ` + strings.Join(where, ` OR `) + ` ORDER BY key`, args
}

func wanted(key string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return len(prefixes) == 0
}

// Swap writes notes under guards in a transaction of their own.
func (s *Store) Swap(ctx context.Context, guard []store.Note, set ...store.Note) ([]store.Note, error) {
	var written []store.Note
	err := s.write(ctx, defaultWait, func(tx *transaction) error {
		if err := tx.check(guard); err != nil {
			return err
		}
		var err error
		written, err = tx.put(set)
		return err
	})
	if err != nil {
		return nil, err
	}
	return written, nil
}

// check refuses newer books and guards that do not stand.
func (tx *transaction) check(guard []store.Note) error {
	present, err := tx.present(guard)
	if noTable(err) && len(guard) == 0 {
		return nil // work without notes needs no books
	}
	if err != nil {
		return tx.store.explain(err)
	}
	for _, g := range guard {
		if g.Rev != store.Any && present[g.Key] != g.Rev {
			return &store.ConflictError{Key: g.Key, Guard: true}
		}
	}
	return nil
}

// present gives the revisions of the guards' notes that are there. The same
// statement reads the format of the books.
func (tx *transaction) present(guard []store.Note) (map[string]int64, error) {
	keys := make([]any, 0, len(guard)+1)
	keys = append(keys, formatKey)
	for _, g := range guard {
		keys = append(keys, g.Key)
	}
	statement, err := tx.statement(`SELECT key, rev, CASE key WHEN '` + formatKey + `' THEN value END FROM stopover_note WHERE key IN (?` +
		strings.Repeat(`, ?`, len(guard)) + `)`)
	if err != nil {
		return nil, err
	}
	rows, err := statement.QueryContext(context.Background(), keys...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	present := map[string]int64{}
	for rows.Next() {
		var key string
		var rev int64
		var format []byte
		if err := rows.Scan(&key, &rev, &format); err != nil {
			return nil, err
		}
		present[key] = rev
		if key == formatKey {
			if err := checkFormat(format); err != nil {
				return nil, err
			}
		}
	}
	return present, rows.Err()
}

// put writes notes, each with a revision of its own.
func (tx *transaction) put(set []store.Note) ([]store.Note, error) {
	if len(set) == 0 {
		return nil, nil
	}
	statement, err := tx.statement(`UPDATE stopover_revision SET last = last + ? RETURNING last, ` + clock)
	if err != nil {
		return nil, tx.store.explain(err)
	}
	var last, now int64
	err = statement.QueryRowContext(context.Background(), len(set)).Scan(&last, &now)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errors.New("the books are damaged: stopover_revision has no row")
	}
	if err != nil {
		return nil, tx.store.explain(err)
	}
	written := make([]store.Note, len(set))
	for i, n := range set {
		w := store.Note{Key: n.Key, Value: n.Value, Rev: last - int64(len(set)-1-i), At: time.UnixMilli(now).UTC()}
		done, err := tx.putOne(n, w.Rev, now)
		if err != nil {
			return nil, fmt.Errorf("write note %q: %w", n.Key, tx.store.explain(err))
		}
		if !done {
			return nil, &store.ConflictError{Key: n.Key}
		}
		written[i] = w
	}
	return written, nil
}

// putOne writes or deletes one note, and says whether it was at the revision
// expected.
func (tx *transaction) putOne(n store.Note, rev, now int64) (bool, error) {
	value := string(n.Value)
	var rows int64
	var err error
	switch {
	case n.Value == nil && n.Rev == store.Any:
		_, err = tx.exec(`DELETE FROM stopover_note WHERE key = ?`, n.Key)
		rows = 1 // also if there was none
	case n.Value == nil && n.Rev == store.Absent:
		err = tx.session.conn.QueryRowContext(context.Background(), `SELECT count(*) = 0 FROM stopover_note WHERE key = ?`, n.Key).Scan(&rows)
	case n.Value == nil:
		rows, err = tx.exec(`DELETE FROM stopover_note WHERE key = ? AND rev = ?`, n.Key, n.Rev)
	case n.Rev == store.Absent:
		rows, err = tx.exec(`INSERT INTO stopover_note (key, rev, at, value) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`, n.Key, rev, now, value)
	case n.Rev == store.Any:
		rows, err = tx.exec(`INSERT INTO stopover_note (key, rev, at, value) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET rev = excluded.rev, at = excluded.at, value = excluded.value`, n.Key, rev, now, value)
	default:
		rows, err = tx.exec(`UPDATE stopover_note SET rev = ?, at = ?, value = ? WHERE key = ? AND rev = ?`, rev, now, value, n.Key, n.Rev)
	}
	return rows == 1, err
}
