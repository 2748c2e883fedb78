package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// rangeKey is the key by which a table is cut into stretches.
type rangeKey struct {
	columns []keyColumn
}

type keyColumn struct {
	name string // quoted
	kind string // of the type, qualified where needed: literals are cast to it
}

// keySQL finds a table and its best key: the primary key, else the narrowest
// unique index that has a row for each row of the table in the order of its
// columns' own collations.
func keySQL(table string) string {
	return `WITH target AS (SELECT c.oid, c.relkind FROM pg_class c WHERE c.oid = to_regclass(` + quote(table) + `)),
	best AS (
		SELECT i.indexrelid, i.indrelid, i.indkey, i.indnkeyatts
		FROM pg_index i JOIN target t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
		WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND am.amname = 'btree'
			AND NOT EXISTS (
				SELECT 1 FROM generate_series(0, i.indnkeyatts - 1) n
				JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
				JOIN pg_opclass o ON o.oid = i.indclass[n]
				WHERE NOT a.attnotnull OR NOT o.opcdefault OR i.indcollation[n] <> a.attcollation)
		ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1)
	SELECT t.relkind, quote_ident(a.attname), format_type(a.atttypid, -1)
	FROM target t LEFT JOIN best b ON true
		LEFT JOIN generate_series(0, b.indnkeyatts - 1) n(n) ON true
		LEFT JOIN pg_attribute a ON a.attrelid = b.indrelid AND a.attnum = b.indkey[n.n]
	ORDER BY n.n`
}

// keyOf gives the key of the table that a stretched action goes through. It is
// asked in the task's transaction, whose search_path decides what a name means,
// and kept.
func (t *transaction) keyOf(ctx context.Context, cut *sqlaction.Range) (*rangeKey, error) {
	if kept, found := t.s.keys.Load(cut.Table); found {
		return kept.(*rangeKey), nil
	}
	key := &rangeKey{}
	kind := ""
	t.next.ask(keySQL(cut.Table), key.read(&kind))
	if err := t.send(ctx); err != nil {
		return nil, err
	}
	if err := key.usable(kind, cut); err != nil {
		return nil, err
	}
	t.s.keys.Store(cut.Table, key)
	return key, nil
}

// read takes over what keySQL answers, and the kind of the relation; "": there is
// none.
func (k *rangeKey) read(kind *string) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			row := r.Values()
			*kind = string(row[0])
			if row[1] != nil {
				k.columns = append(k.columns, keyColumn{name: string(row[1]), kind: string(row[2])})
			}
		}
		return nil
	}
}

// Uncuttable says why a stretched action cannot be cut.
func (s *Store) Uncuttable(ctx context.Context, action store.Action) (because string, err error) {
	sql, ok := action.(*sqlaction.Action)
	if !ok || sql.Range == nil {
		return "", nil
	}
	key, kind := &rangeKey{}, ""
	var m message
	m.own("BEGIN READ ONLY")
	m.own(s.settingsSQL(store.Task{}))
	m.ask(keySQL(sql.Range.Table), key.read(&kind))
	m.own("COMMIT")
	completed, err := s.run(ctx, &m)
	if err != nil {
		return "", fmt.Errorf("ask for the key of %s in %s: %w", sql.Range.Table, s.place, s.fault(ctx, &m, completed, err, 0))
	}
	if kind == "" {
		return "", nil // an earlier step may make it
	}
	if why := key.usable(kind, sql.Range); why != nil {
		return why.Error(), nil
	}
	return "", nil
}

var _ store.Cutter = (*Store)(nil)

// usable says why a table cannot be gone through in the order of a key.
func (k *rangeKey) usable(kind string, cut *sqlaction.Range) error {
	switch kind {
	case "":
		return fmt.Errorf("table %s does not exist", cut.Table)
	case "v", "m", "f":
		what := map[string]string{"v": "a view", "m": "a materialized view", "f": "a foreign table"}[kind]
		return fmt.Errorf("%s is %s: a backfill goes through a table in the order of its key: name the table", cut.Table, what)
	}
	if len(k.columns) == 0 {
		return fmt.Errorf("table %s has no primary key and no unique index over NOT NULL columns: a backfill that dies has nothing to go on from; add a key first, or write the backfill in Go", cut.Table)
	}
	for _, column := range k.columns {
		for _, set := range cut.Sets {
			if ident(set) == column.name || set == column.name {
				return fmt.Errorf("the statement changes %s, the key of %s by which it is cut: rows would move ahead of it and be changed twice", column.name, cut.Table)
			}
		}
	}
	return nil
}

// list gives the columns for ORDER BY and SELECT.
func (k *rangeKey) list(qualifier, suffix string) string {
	names := make([]string, len(k.columns))
	for i, column := range k.columns {
		names[i] = qualifier + "." + column.name + suffix
	}
	return strings.Join(names, ", ")
}

// condition compares the key with a place in its order: "(o.a, o.b) > (..)".
func (k *rangeKey) condition(qualifier, comparison string, place []string) string {
	values := make([]string, len(k.columns))
	for i, column := range k.columns {
		values[i] = quote(place[i]) + "::" + column.kind
	}
	left, right := k.list(qualifier, ""), strings.Join(values, ", ")
	if len(values) > 1 {
		left, right = "("+left+")", "("+right+")"
	}
	return left + " " + comparison + " " + right
}

// place reads a cursor.
func (k *rangeKey) place(cursor []byte) ([]string, error) {
	if cursor == nil {
		return nil, nil
	}
	values, err := sqlaction.DecodeKey(cursor)
	if err != nil {
		return nil, err
	}
	if len(values) != len(k.columns) {
		return nil, errors.New("the cursor does not fit the table's key any more: the key was changed while the backfill was under way; it has to begin again")
	}
	return values, nil
}
