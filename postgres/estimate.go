package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// What a backfill is reckoned with where nothing better is known: a modest
// server's speed, and the log that was measured for a row besides its own size,
// in index entries and page images.
const (
	assumedRate = 20_000 // rows a second
	logOfRow    = 700    // bytes
	worthAWord  = 128 << 10
)

// Estimate foresees the cost of an action from the statistics of its tables.
// They are those of the last VACUUM or ANALYZE: of a table that had none, some
// pages are looked at. Of tables that are gone through at once nothing is said.
func (s *Store) Estimate(ctx context.Context, action store.Action) (store.Estimate, error) {
	sql, ok := action.(*sqlaction.Action)
	if !ok {
		return store.Estimate{}, nil
	}
	var total store.Estimate
	for i, kind := range sql.Kinds {
		table, copied, note := touched(kind)
		if stops := stopping(sql, i); table.Base == "" && stops != "" && kind.Verb == "ALTER" && kind.Object == "TABLE" {
			table, copied, note = kind.Name(), strings.Contains(stops, "rewrites"), stops
		}
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
		if sql.Form == store.Stretched {
			total.Took += time.Duration(rows) * time.Second / assumedRate
			total.Log += rows*logOfRow + bytes
		}
		if total.Note == "" && note != "" && bytes >= worthAWord {
			total.Note = note
			if sql.Form == store.Whole {
				total.Note += fmt.Sprintf(" (%s has %s)", bare(table), sizeText(bytes))
			}
		}
	}
	return total, nil
}

// stopping says in a sentence why a statement stops others; "": it does not.
// What to write instead is left to lint.
func stopping(sql *sqlaction.Action, at int) string {
	for _, fact := range sql.Facts {
		last := at == len(sql.Parts)-1 || fact.Line < sql.Parts[at+1].Line
		if fact.Kind != store.Blocks || fact.Line < sql.Parts[at].Line || !last {
			continue
		}
		text, _, _ := strings.Cut(fact.Message, ": ")
		text, _, _ = strings.Cut(text, " (")
		return text
	}
	return ""
}

// touched gives the table that a statement goes through, whether up to its size
// is written anew, and what that means. Statements that only change the
// catalogue have none.
func touched(kind sqltext.Statement) (table sqltext.Name, copied bool, note string) {
	says := func(words ...string) bool { return contains(kind, words...) }
	switch {
	case kind.Verb == "UPDATE":
		return kind.Name(), true, fmt.Sprintf("writes a new version of each row; the time is for %d rows/s", assumedRate)
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

// sampledPages are looked at in a table without statistics.
const sampledPages = 500

// tableSize gives the estimated rows of a table and its bytes on disk; zeros
// where it does not exist (yet).
func (s *Store) tableSize(ctx context.Context, table sqltext.Name) (rows, bytes int64, err error) {
	var pages int64
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{}))
	m.ask(`WITH RECURSIVE family AS (
			SELECT to_regclass(`+quote(table.Text)+`)::oid AS oid
			UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent)
		SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
			coalesce(sum(pg_relation_size(c.oid)) / current_setting('block_size')::bigint, 0)::bigint
		FROM family f JOIN pg_class c ON c.oid = f.oid`, func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			if rows, err = strconv.ParseInt(string(r.Values()[0]), 10, 64); err != nil {
				return err
			}
			if bytes, err = strconv.ParseInt(string(r.Values()[1]), 10, 64); err != nil {
				return err
			}
			pages, err = strconv.ParseInt(string(r.Values()[2]), 10, 64)
		}
		return err
	})
	m.own("COMMIT")
	completed, err := s.run(ctx, &m)
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the size of %s in %s: %w", strings.TrimSpace(table.Text), s.place, s.fault(ctx, &m, completed, err, 0))
	}
	if rows == 0 && pages > 0 {
		rows = s.sampledRows(ctx, table, pages)
	}
	return rows, bytes, nil
}

// sampledRows reckons the rows of a table from some of its pages; 0 where that
// is refused: nothing depends on it but what is foreseen.
func (s *Store) sampledRows(ctx context.Context, table sqltext.Name, pages int64) (rows int64) {
	percent := min(100, 100*float64(sampledPages)/float64(pages))
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{Timeout: signTimeout}))
	m.ask(fmt.Sprintf("SELECT (count(*) * 100 / %g)::bigint FROM %s TABLESAMPLE SYSTEM (%g)", percent, table.Text, percent), readNumber(&rows))
	m.own("COMMIT")
	if _, err := s.run(ctx, &m); err != nil {
		return 0
	}
	return rows
}

var _ store.Estimator = (*Store)(nil)
