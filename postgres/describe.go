package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed queries/describe.sql
var describeSQL string

// Describe writes the schema's structure: one line an object, sorted. Left out
// are the books, what belongs to extensions, the order of columns, and rights.
func (s *Store) Describe(ctx context.Context) ([]string, error) {
	var lines []string
	var m message
	m.own("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	// With an empty path the server writes every name with its schema.
	m.own("SET LOCAL search_path = ''")
	m.ask(strings.ReplaceAll(describeSQL, "SCHEMA", quote(s.schema)), func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			lines = append(lines, string(r.Values()[0]))
		}
		return nil
	})
	m.own("COMMIT")
	completed, err := s.run(ctx, &m)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	slices.Sort(lines)
	return lines, nil
}
