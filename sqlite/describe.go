package sqlite

import (
	"context"
	"fmt"
	"sort"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Describe gives the structure from sqlite_schema, one line an object, without
// the books, with blanks, comments and quotes of names made alike. SQLite keeps
// the text of CREATE, so two texts that mean the same may still differ.
func (s *Store) Describe(ctx context.Context) ([]string, error) {
	if gone, err := s.place.missing(); err != nil || gone {
		return nil, err
	}
	var lines []string
	err := s.read(ctx, func(held *session) error {
		lines = nil
		rows, err := held.conn.QueryContext(ctx, `SELECT type, name, sql FROM sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND tbl_name NOT IN `+books)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var kind, name, text string
			if err := rows.Scan(&kind, &name, &text); err != nil {
				return err
			}
			lines = append(lines, kind+" "+name+": "+normal(text))
		}
		return rows.Err()
	})
	sort.Strings(lines)
	return lines, err
}

// normal writes a statement with one blank between its tokens.
func normal(text string) string {
	r, err := sqltext.Read(sqltext.SQLite, text, 1)
	if err != nil {
		return text
	}
	out := ""
	for !r.AtEnd() {
		t := r.Next()
		word := t.Text
		if t.Kind == sqltext.Quoted {
			word = quoted(sqltext.Identifier(sqltext.SQLite, t))
		}
		if out != "" {
			out += " "
		}
		out += word
	}
	return out
}

// Estimate foresees how many rows a stretched action walks over.
func (s *Store) Estimate(ctx context.Context, action store.Action) (store.Estimate, error) {
	inSQL, ok := action.(*sqlaction.Action)
	if !ok || inSQL.Range == nil {
		return store.Estimate{}, nil
	}
	if gone, err := s.place.missing(); err != nil || gone {
		return store.Estimate{}, err
	}
	var estimate store.Estimate
	err := s.read(ctx, func(held *session) error {
		n, exact, err := held.guessRows(ctx, inSQL.Range.Name.Base)
		if err != nil {
			return err
		}
		if known, found := held.analyzed(ctx, inSQL.Range.Name.Base); found && !exact {
			n = known
		}
		estimate = store.Estimate{Rows: n, Note: fmt.Sprintf("walks over %s", inSQL.Range.Name.Base)}
		return nil
	})
	return estimate, err
}

// analyzed gives the number of rows that the last ANALYZE found.
func (h *session) analyzed(ctx context.Context, table string) (int64, bool) {
	var n int64
	err := h.conn.QueryRowContext(ctx, `SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE tbl = ? COLLATE NOCASE LIMIT 1`, table).Scan(&n)
	return n, err == nil
}
