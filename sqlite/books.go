package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	lib "modernc.org/sqlite/lib"

	"github.com/stopover-dev/stopover/store"
)

// formatKey is the note that carries the version of the books.
const formatKey = "format"

// clock is the store's time in milliseconds since 1970. Within one statement
// it is one moment.
const clock = `CAST(round(unixepoch('subsec') * 1000) AS INTEGER)`

var schema = []string{
	`CREATE TABLE IF NOT EXISTS stopover_note (
  key   TEXT    NOT NULL PRIMARY KEY CHECK (key <> ''),
  rev   INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  value TEXT    NOT NULL CHECK (json_valid(value))
) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS stopover_revision (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  last INTEGER NOT NULL
)`,
	`CREATE VIEW IF NOT EXISTS stopover_ledger AS
SELECT substr(key, 8, instr(substr(key, 8), '/') - 1) AS migration,
	substr(key, 8 + instr(substr(key, 8), '/')) AS step,
	CASE WHEN json_extract(value, '$.reversed') IS NOT NULL THEN 'reversed'
		WHEN json_extract(value, '$.done') IS NOT NULL THEN 'done' ELSE 'begun' END AS state,
	strftime('%Y-%m-%d %H:%M:%f', json_extract(value, '$.begun')) AS begun,
	strftime('%Y-%m-%d %H:%M:%f', json_extract(value, '$.done')) AS done,
	coalesce(json_extract(value, '$.rows'), 0) AS rows, json_extract(value, '$.operator') AS operator,
	json_extract(value, '$.host') AS host, json_extract(value, '$.release') AS release,
	strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') AS written, value AS line
FROM stopover_note WHERE key >= 'ledger/' AND key < 'ledger0' ORDER BY key`,
	`INSERT OR IGNORE INTO stopover_revision (one, last) VALUES (1, 1)`,
	`INSERT OR IGNORE INTO stopover_note (key, rev, at, value)
VALUES ('` + formatKey + `', 1, ` + clock + `, json_object('format', ` + fmt.Sprint(store.Format) + `))`,
}

// Prepare creates the file and the books in it. If the process dies in here
// there is at most an empty file, which is an empty database.
func (s *Store) Prepare(ctx context.Context) error {
	if err := s.create(ctx); err != nil {
		return err
	}
	if done, err := s.stamped(ctx); done || err != nil {
		return err
	}
	return s.write(ctx, defaultWait, func(tx *transaction) error {
		for _, statement := range schema {
			if _, err := tx.exec(statement); err != nil {
				return fmt.Errorf("create the books: %w", s.explain(err))
			}
		}
		return nil
	})
}

// create makes the file if there is none. SQLite itself does it: a file that
// is opened and closed beside SQLite takes the locks of its connections away.
func (s *Store) create(ctx context.Context) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return errClosed
	}
	if gone, err := s.place.missing(); err != nil {
		return &store.UnreachableError{Place: s.place.String(), Err: err}
	} else if !gone {
		return nil
	}
	db, err := sql.Open("sqlite", s.place.source("rwc"))
	if err != nil {
		return fmt.Errorf("create %s: %w", s.place, err)
	}
	defer db.Close()
	// Others may be making it too, with PRAGMAs in the URL that write.
	err = patiently(ctx, defaultWait, func() error {
		_, err := db.ExecContext(ctx, "PRAGMA schema_version")
		return err
	})
	switch {
	case code(err) == lib.SQLITE_CANTOPEN:
		return &store.RightsError{Missing: "make the file " + s.place.file, Err: err}
	case err != nil:
		return fmt.Errorf("create %s: %w", s.place, s.explain(err))
	}
	return nil
}

// stamped says whether the books are there, in this format.
func (s *Store) stamped(ctx context.Context) (bool, error) {
	there := false
	err := s.read(ctx, func(held *session) error {
		var value string
		err := held.conn.QueryRowContext(ctx, `SELECT value FROM stopover_note WHERE key = '`+formatKey+`'`).Scan(&value)
		switch {
		case noTable(err), errors.Is(err, sql.ErrNoRows):
			there = false
			return nil
		case err != nil:
			return err
		}
		there = true
		return checkFormat([]byte(value))
	})
	return there, err
}

// checkFormat refuses books that a newer build wrote.
func checkFormat(value []byte) error {
	var books struct{ Format int }
	if err := json.Unmarshal(value, &books); err != nil {
		return fmt.Errorf("read the note %q of the books: %w", formatKey, err)
	}
	if books.Format > store.Format {
		return &store.NewerError{Found: books.Format, Known: store.Format}
	}
	return nil
}
