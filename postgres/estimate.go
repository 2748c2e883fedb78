package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// Estimate foresees the cost of an action from the statistics of its tables.
// They are those of the last VACUUM or ANALYZE: a table that had none is
// unknown.
func (s *Store) Estimate(ctx context.Context, action store.Action) (store.Estimate, error) {
	sql, ok := action.(*sqlaction.Action)
	if !ok {
		return store.Estimate{}, nil
	}
	var total store.Estimate
	for _, kind := range sql.Kinds {
		table, copied, note := touched(kind)
		if table.Base == "" {
			continue
		}
		rows, bytes, err := s.tableSize(ctx, table)
		if err != nil {
			return store.Estimate{}, err
		}
		total.Rows += rows
		if copied {
			total.Bytes += bytes
		}
		if total.Note == "" {
			total.Note = note
		}
	}
	return total, nil
}

// touched gives the table that a statement goes through, whether up to its size
// is written anew, and what that means. Statements that only change the
// catalogue have none.
func touched(kind sqltext.Statement) (table sqltext.Name, copied bool, note string) {
	says := func(words ...string) bool { return contains(kind, words...) }
	switch {
	case kind.Verb == "UPDATE":
		return kind.Name(), true, "writes a new version of each row"
	case kind.Verb == "DELETE":
		return kind.Name(), false, ""
	case kind.Verb == "CREATE" && kind.Object == "INDEX" && kind.Concurrently:
		return kind.Table, true, "scans the table twice, beside readers and writers"
	case kind.Verb == "CREATE" && kind.Object == "INDEX":
		return kind.Table, true, "scans the table while writers wait"
	case kind.Verb == "ALTER" && kind.Object == "TABLE" && says("VALIDATE", "CONSTRAINT"):
		return kind.Name(), false, "scans the table, beside readers and writers"
	case kind.Verb == "ALTER" && kind.Object == "TABLE" && (says("SET", "NOT", "NULL") || says("ADD", "CONSTRAINT") && !says("NOT", "VALID")):
		return kind.Name(), false, "scans the table under a lock"
	case kind.Verb == "ALTER" && kind.Object == "TABLE" && (says("TYPE") || says("SET", "LOGGED") || says("SET", "UNLOGGED")):
		return kind.Name(), true, "rewrites the table"
	case kind.Verb == "CLUSTER", kind.Verb == "VACUUM" && says("FULL"):
		return kind.Name(), true, "rewrites the table"
	}
	return sqltext.Name{}, false, ""
}

// contains is true if the words stand in the statement one after the other.
func contains(kind sqltext.Statement, words ...string) bool {
	for r := kind.Reader(); !r.AtEnd(); r.Next() {
		if r.Is(words...) {
			return true
		}
	}
	return false
}

// tableSize gives the estimated rows of a table and its bytes on disk; zeros
// where it does not exist (yet).
func (s *Store) tableSize(ctx context.Context, table sqltext.Name) (rows, bytes int64, err error) {
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{}))
	m.ask(`WITH RECURSIVE family AS (
			SELECT to_regclass(`+quote(table.Text)+`)::oid AS oid
			UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
		SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, coalesce(sum(pg_table_size(c.oid)), 0)::bigint
		FROM family f JOIN pg_class c ON c.oid = f.oid`, func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			if rows, err = strconv.ParseInt(string(r.Values()[0]), 10, 64); err != nil {
				return err
			}
			bytes, err = strconv.ParseInt(string(r.Values()[1]), 10, 64)
		}
		return err
	})
	m.own("COMMIT")
	completed, err := s.run(ctx, &m)
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the size of %s in %s: %w", strings.TrimSpace(table.Text), s.place, s.fault(ctx, &m, completed, err, 0))
	}
	return rows, bytes, nil
}

var _ store.Estimator = (*Store)(nil)
