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

// How a table is split.
const (
	samplePages = 400  // pages that are looked into, picked at random
	spanRows    = 2000 // rows below which a span is not worth its note
)

// Split finds places that part the rows of a stretched action's table into spans
// of about one size. It looks into some pages of the table only, so that it
// takes milliseconds whatever the table's size and the type of its key.
func (s *Store) Split(ctx context.Context, action store.Action, n int) ([]store.Span, error) {
	whole := []store.Span{{}}
	sql, ok := action.(*sqlaction.Action)
	if !ok || sql.Range == nil || n < 2 {
		return whole, nil
	}
	x, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	places, err := s.places(ctx, x, sql.Range, n)
	x.release(ctx, err)
	if err != nil {
		return nil, fmt.Errorf("split %s of %s: %w", sql.Range.Table, s.place, err)
	}
	spans := whole
	for _, place := range places {
		spans[len(spans)-1].Upto = place
		spans = append(spans, store.Span{From: place})
	}
	return spans, nil
}

// places gives up to n-1 places in the order of the table's key. A table that
// cannot be cut has none: its first stretch says why.
func (s *Store) places(ctx context.Context, x *session, cut *sqlaction.Range, n int) ([][]byte, error) {
	key, kind, pages := &rangeKey{}, "", int64(0)
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{}))
	m.own(keyStyles)
	m.ask(keySQL(cut.Table), key.read(&kind))
	m.ask(pagesSQL(cut.Table), readNumber(&pages))
	if completed, err := x.send(ctx, &m); err != nil {
		return nil, s.fault(ctx, &m, completed, err, 0)
	}
	var sampled [][]string
	percent := min(100, 100*float64(samplePages)/float64(max(pages, 1)))
	var ask message
	if key.usable(kind, cut) == nil && pages > 1 {
		ask.ask(fmt.Sprintf("SELECT %s FROM %s AS walked TABLESAMPLE SYSTEM (%g) ORDER BY %s",
			key.list("walked", "::text"), cut.Table, percent, key.list("walked", "")), readRows(&sampled))
	}
	ask.own("COMMIT")
	ask.reset()
	if completed, err := x.send(ctx, &ask); err != nil {
		return nil, s.fault(ctx, &ask, completed, err, 0)
	}
	rows := float64(len(sampled)) * 100 / percent
	return evenly(sampled, min(n, int(rows/spanRows))), nil
}

// evenly picks n-1 of the rows that part them into n shares.
func evenly(rows [][]string, n int) [][]byte {
	var picked [][]byte
	for i := 1; i < min(n, len(rows)); i++ {
		picked = append(picked, sqlaction.EncodeKey(rows[i*len(rows)/n]))
	}
	return picked
}

// familySQL lists a table and its partitions, as `family`.
func familySQL(table string) string {
	return `WITH RECURSIVE family AS (
		SELECT to_regclass(` + quote(table) + `)::oid AS oid
		UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN family f ON f.oid = i.inhparent) `
}

func pagesSQL(table string) string {
	return familySQL(table) + `SELECT coalesce(sum(pg_relation_size(oid) / current_setting('block_size')::bigint), 0)::bigint FROM family`
}

func readNumber(into *int64) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			if *into, err = strconv.ParseInt(string(r.Values()[0]), 10, 64); err != nil {
				return err
			}
		}
		return nil
	}
}

func readRows(into *[][]string) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			row := make([]string, len(r.Values()))
			for i, value := range r.Values() {
				row[i] = string(value)
			}
			*into = append(*into, row)
		}
		return nil
	}
}

// bare is a table's name without what a statement may add to it.
func bare(table sqltext.Name) string { return strings.TrimSpace(table.Text) }

var _ store.Splitter = (*Store)(nil)
