package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// rangeKey is the key by which a table is cut into stretches.
type rangeKey struct {
	columns []keyColumn
	against string // why the table cannot be gone through all the same; "": it can
}

type keyColumn struct {
	name string // quoted
	kind string // of the type, qualified where needed: literals are cast to it
	// space is the schema of the type's operators, quoted; "": every session finds
	// them. A type whose operators are not found is compared as another one
	// silently: citext as text.
	space string
	from  []string // quoted names of the columns that this one is computed from
}

// keySQL finds a table and its best key: the primary key, else the narrowest
// unique index that has a row for each row of the table in the order of its
// columns' own collations. A deferrable one will do: what others have committed
// is unique. With each column come the schema of its operators where a name
// alone might not find them, and the columns that it is computed from; and what
// stands against going through the table at all.
func keySQL(table string) string {
	return `WITH RECURSIVE target AS (SELECT c.oid, c.relkind FROM pg_class c WHERE c.oid = to_regclass(` + quote(table) + `)),
	best AS (
		SELECT i.indexrelid, i.indrelid, i.indkey, i.indclass, i.indnkeyatts
		FROM pg_index i JOIN target t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
		WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND am.amname = 'btree'
			AND NOT EXISTS (
				SELECT 1 FROM generate_series(0, i.indnkeyatts - 1) n
				JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
				JOIN pg_opclass o ON o.oid = i.indclass[n]
				WHERE NOT a.attnotnull OR NOT o.opcdefault OR i.indcollation[n] <> a.attcollation)
		ORDER BY i.indisprimary DESC, i.indimmediate DESC, i.indnkeyatts, i.indexrelid LIMIT 1),
	heirs AS (
		SELECT i.inhrelid AS oid FROM pg_inherits i JOIN target t ON t.oid = i.inhparent WHERE t.relkind = 'r'
		UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN heirs h ON h.oid = i.inhparent)
	SELECT t.relkind, quote_ident(a.attname), format_type(a.atttypid, -1),
		(SELECT quote_ident(s.nspname) FROM pg_opclass o
			JOIN pg_amop m ON m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amopstrategy = 5
			JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace s ON s.oid = p.oprnamespace
			WHERE o.oid = b.indclass[n.n] AND s.nspname <> 'pg_catalog'),
		(SELECT string_agg(DISTINCT quote_ident(s.attname), chr(1)) FROM pg_attrdef f
			JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
				OR d.classid = 'pg_class'::regclass AND d.objid = f.adrelid AND d.objsubid = f.adnum
			JOIN pg_attribute s ON s.attrelid = d.refobjid AND s.attnum = d.refobjsubid
			WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum AND a.attgenerated <> ''
				AND d.refclassid = 'pg_class'::regclass AND d.refobjid = f.adrelid AND d.refobjsubid NOT IN (0, a.attnum)),
		CASE WHEN t.relkind IN ('r', 'p') AND row_security_active(t.oid) THEN 'row security hides rows of it from ' || current_user
			ELSE (SELECT 'its child table ' || h.oid::regclass || ' may have NULL in ' || quote_ident(c.attname) FROM heirs h
				JOIN pg_attribute c ON c.attrelid = h.oid AND c.attname = a.attname AND NOT c.attnotnull LIMIT 1) END
	FROM target t LEFT JOIN best b ON true
		LEFT JOIN generate_series(0, b.indnkeyatts - 1) n(n) ON true
		LEFT JOIN pg_attribute a ON a.attrelid = b.indrelid AND a.attnum = b.indkey[n.n]
	ORDER BY n.n`
}

// keyStyles make ends of ranges, which are kept as text, exact, and read alike by
// every session.
const keyStyles = "SELECT set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true), set_config('extra_float_digits', '1', true)"

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
				column := keyColumn{name: string(row[1]), kind: string(row[2]), space: string(row[3])}
				if row[4] != nil {
					column.from = strings.Split(string(row[4]), "\x01")
				}
				k.columns = append(k.columns, column)
			}
			if row[5] != nil {
				k.against = string(row[5])
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
	s.beginLook(&m)
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
	if strings.HasPrefix(k.against, "row security") {
		return fmt.Errorf("%s, and a backfill would pass them over (table %s): use a role that owns the table without FORCE ROW LEVEL SECURITY, or one with BYPASSRLS", k.against, cut.Table)
	}
	if len(k.columns) == 0 {
		return fmt.Errorf("table %s has no primary key and no unique index over NOT NULL columns: a backfill that dies has nothing to go on from; add a key first, or write the backfill in Go", cut.Table)
	}
	if k.against != "" {
		return fmt.Errorf("table %s cannot be gone through by its key: %s, and such rows would be passed over: make the column NOT NULL there, or write UPDATE ONLY and a backfill for each table", cut.Table, k.against)
	}
	for _, column := range k.columns {
		for _, set := range cut.Sets {
			if column.isMoved(set) {
				return fmt.Errorf("the statement changes %s, the key of %s by which it is cut: rows would move ahead of it and be changed twice", column.name, cut.Table)
			}
		}
	}
	return nil
}

// isMoved tells whether a change of a column changes this one.
func (c keyColumn) isMoved(set string) bool {
	return slices.ContainsFunc(append([]string{c.name}, c.from...), func(name string) bool {
		return ident(set) == name || set == name
	})
}

// list gives the columns for ORDER BY and SELECT.
func (k *rangeKey) list(qualifier, suffix string) string {
	names := make([]string, len(k.columns))
	for i, column := range k.columns {
		names[i] = qualifier + "." + column.name + suffix
	}
	return strings.Join(names, ", ")
}

// within limits the key to what lies above lower, up to upper; nil: no limit.
func (k *rangeKey) within(qualifier string, lower, upper []string) string {
	var conditions []string
	if lower != nil {
		conditions = append(conditions, k.condition(qualifier, ">", lower))
	}
	if upper != nil {
		conditions = append(conditions, k.condition(qualifier, "<=", upper))
	}
	return strings.Join(conditions, " AND ")
}

// condition compares the key with a place in its order: "(o.a, o.b) > (..)".
func (k *rangeKey) condition(qualifier, comparison string, place []string) string {
	values := make([]string, len(k.columns))
	for i, column := range k.columns {
		values[i] = quote(place[i]) + "::" + column.kind
	}
	if slices.ContainsFunc(k.columns, func(c keyColumn) bool { return c.space != "" }) {
		return k.spelled(qualifier, comparison, values)
	}
	left, right := k.list(qualifier, ""), strings.Join(values, ", ")
	if len(values) > 1 {
		left, right = "("+left+")", "("+right+")"
	}
	return left + " " + comparison + " " + right
}

// spelled compares column by column, each by its own operator, where one name
// for all of them does not do: "(a > 1 OR a = 1 AND b OPERATOR(ext.>) 'x')".
func (k *rangeKey) spelled(qualifier, comparison string, values []string) string {
	compare := func(i int, operator string) string {
		column := k.columns[i]
		if column.space != "" {
			operator = "OPERATOR(" + column.space + "." + operator + ")"
		}
		return qualifier + "." + column.name + " " + operator + " " + values[i]
	}
	strict, last := comparison[:1], len(values)-1
	var cases []string
	equal := ""
	for i := range values {
		operator := strict
		if i == last {
			operator = comparison
		}
		cases = append(cases, equal+compare(i, operator))
		equal += compare(i, "=") + " AND "
	}
	// The first column alone says it once more: an index serves that.
	return "(" + compare(0, strict+"=") + " AND (" + strings.Join(cases, " OR ") + "))"
}

// place reads a cursor.
func (k *rangeKey) place(cursor []byte) ([]string, error) {
	if len(cursor) == 0 {
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
