package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/stopover-dev/stopover/store"
)

// books are the names of what Prepare makes.
const books = `('stopover_note', 'stopover_revision', 'stopover_ledger')`

// Place names the file, without asking it.
func (s *Store) Place() string { return s.place.String() }

// Survey looks the file over. One that is not there yet is an empty store.
func (s *Store) Survey(ctx context.Context) (store.Survey, error) {
	survey := store.Survey{Server: "SQLite", Place: s.place.String()}
	gone, err := s.place.missing()
	if err != nil {
		return survey, &store.UnreachableError{Place: s.place.String(), Err: err}
	}
	if gone {
		if _, err := s.lookAtNothing(ctx); err != nil {
			return survey, err
		}
		survey.Place += " (not there yet)"
		survey.Empty = true
		s.rights(&survey, filepath.Dir(s.place.file))
		return survey, nil
	}
	if survey.Stamped, err = s.stamped(ctx); err != nil {
		return survey, err
	}
	err = s.read(ctx, func(held *session) error { return held.survey(ctx, &survey) })
	if err != nil {
		return survey, err
	}
	if s.place.file != "" {
		s.rights(&survey, filepath.Dir(s.place.file), s.place.file)
	}
	return survey, nil
}

// rights finds out what this user may not write. SQLite opens a file that it
// may not write for reading, and fails only at the first write.
func (s *Store) rights(survey *store.Survey, paths ...string) {
	if mode := s.place.query.Get("mode"); mode == "ro" || s.place.query.Get("immutable") == "1" {
		survey.ReadOnly = true
		survey.Missing = append(survey.Missing, "the URL opens the file for reading only")
	}
	for _, path := range paths {
		if !writable(path) {
			survey.ReadOnly = true
			survey.Missing = append(survey.Missing, "write to "+path)
		}
	}
}

func (h *session) survey(ctx context.Context, survey *store.Survey) error {
	var version string
	if err := h.conn.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version); err != nil {
		return err
	}
	survey.Server = "SQLite " + version
	rows, err := h.conn.QueryContext(ctx, `SELECT type, name FROM sqlite_schema
WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' AND tbl_name NOT IN `+books+`
ORDER BY type <> 'table', type, name`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var found [][2]string
	for rows.Next() {
		var object [2]string
		if err := rows.Scan(&object[0], &object[1]); err != nil {
			return err
		}
		found = append(found, object)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	survey.Empty = len(found) == 0
	survey.Evidence, err = h.evidence(ctx, found)
	return err
}

// evidence describes at most 20 objects, with a guess of the rows of tables.
func (h *session) evidence(ctx context.Context, found [][2]string) ([]string, error) {
	var lines []string
	for i, object := range found {
		if i == 19 && len(found) > 20 {
			return append(lines, fmt.Sprintf("and %d more", len(found)-i)), nil
		}
		line := object[0] + " " + object[1]
		if object[0] == "table" {
			n, exact, err := h.guessRows(ctx, object[1])
			switch {
			case err != nil:
				return nil, err
			case exact:
				line += fmt.Sprintf(" (%s)", count(n))
			default:
				line += fmt.Sprintf(" (about %s)", count(n))
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// guessRows counts a table up to 10,000 rows and takes the highest rowid for
// larger ones, which costs one step in the tree.
func (h *session) guessRows(ctx context.Context, table string) (n int64, exact bool, err error) {
	const few = 10_000
	err = h.conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d)`, quoted(table), few+1)).Scan(&n)
	if err != nil {
		if code(err) == sqliteError {
			return 0, false, nil // a virtual table whose module is not here
		}
		return 0, false, err
	}
	if n <= few {
		return n, true, nil
	}
	var highest *int64
	err = h.conn.QueryRowContext(ctx, `SELECT max(rowid) FROM `+quoted(table)).Scan(&highest)
	if err != nil && code(err) != sqliteError {
		return 0, false, err
	}
	if err == nil && highest != nil && *highest > n {
		n = *highest
	}
	return n, false, nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// count writes a number of rows for people: "41,000 rows".
func count(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if n == 1 {
		return "1 row"
	}
	return text + " rows"
}
