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

// formatKey is the key of the note with the books' format. It has a space, so
// that it is no key that a caller could use, and sorts before all of those.
const formatKey = " format"

// Look gives the notes under the prefixes and the store's time.
func (s *Store) Look(ctx context.Context, prefixes ...string) (store.View, error) {
	var view store.View
	var format string
	var m message
	if s.role != "" {
		s.begin(&m)
	}
	// The time is asked first: if there are no books the rest fails, and the
	// time has still come in the same trip.
	m.ask("SELECT "+micros("clock_timestamp()"), func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			view.Now, err = parseMicros(r.Values()[0])
		}
		return err
	})
	m.ask(s.lookSQL(prefixes), func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			note, err := readNote(r.Values())
			if err != nil {
				return err
			}
			if note.Key == formatKey {
				format = string(note.Value)
				continue
			}
			view.Notes = append(view.Notes, note)
		}
		return nil
	})
	if s.role != "" {
		m.own("COMMIT")
	}
	completed, err := s.run(ctx, &m)
	if isAbsent(err) && !view.Now.IsZero() {
		return store.View{Now: view.Now}, nil
	}
	if err != nil {
		return store.View{}, fmt.Errorf("look at the notes of %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	if format != strconv.Itoa(store.Format) {
		return store.View{}, formatError(format)
	}
	return view, nil
}

// lookSQL never uses LIKE: keys may contain its wildcards, and the primary key
// serves ranges.
func (s *Store) lookSQL(prefixes []string) string {
	var sql strings.Builder
	sql.WriteString("SELECT key, rev, " + micros("at") + ", value FROM " + s.books("note"))
	if len(prefixes) > 0 && !slices.Contains(prefixes, "") {
		sql.WriteString(" WHERE key = " + quote(formatKey))
		for _, prefix := range prefixes {
			sql.WriteString(" OR key >= " + quote(prefix) + " AND key < " + quote(prefix+"\x7f"))
		}
	}
	sql.WriteString(" ORDER BY key")
	return sql.String()
}

// isAbsent is true for the error that says that there are no books.
func isAbsent(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == undefinedTable || refused.Code == undefinedSchema)
}

// micros writes a time so that it is read alike whatever DateStyle and TimeZone
// say: microseconds since 1970, exactly.
func micros(at string) string { return "(extract(epoch FROM " + at + ") * 1000000)::bigint" }

func parseMicros(text []byte) (time.Time, error) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read a time: %w", err)
	}
	return time.UnixMicro(n).UTC(), nil
}

// readNote reads key, rev, at and, if there is a fourth column, value.
func readNote(values [][]byte) (store.Note, error) {
	rev, err := strconv.ParseInt(string(values[1]), 10, 64)
	if err != nil {
		return store.Note{}, fmt.Errorf("read the revision of note %q: %w", values[0], err)
	}
	at, err := parseMicros(values[2])
	if err != nil {
		return store.Note{}, err
	}
	note := store.Note{Key: string(values[0]), Rev: rev, At: at}
	if len(values) > 3 {
		note.Value = slices.Clone(values[3])
	}
	return note, nil
}
