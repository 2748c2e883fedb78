package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// stretch performs the action for the next rows in the order of its table's
// key. The cursor is the key of the last of them, as literals of SQL.
func (tx *transaction) stretch(action *sqlaction.Action, task store.Task) (store.Progress, error) {
	key, err := tx.keyOf(tx.ctx, action.Range)
	if err != nil {
		return store.Progress{}, err
	}
	lower, err := key.lower(action.Range.Alias, task.Cursor)
	if err != nil {
		return store.Progress{}, err
	}
	cursor, done, err := tx.bound(tx.ctx, key, task)
	if err != nil {
		return store.Progress{}, err
	}
	cond := lower
	if !done {
		if bytes.Equal(cursor, task.Cursor) {
			return store.Progress{}, fmt.Errorf("table %s: the key %s of its next row cannot be written as a literal of SQL (a zero byte in it?)", key.table, cursor)
		}
		upper, err := key.compare(action.Range.Alias, "<=", cursor)
		if err != nil {
			return store.Progress{}, err
		}
		if cond != "" {
			cond += " AND "
		}
		cond += upper
	}
	rows, err := tx.statementOf(action, 0, action.Range.Text(cond), task.Timeout)
	if err != nil {
		return store.Progress{}, err
	}
	return store.Progress{Cursor: cursor, Done: done, Rows: rows}, nil
}

// bound finds the last key of this stretch, and whether rows stand behind it.
// Done, the stretch has no upper end, and there is no cursor.
func (tx *transaction) bound(ctx context.Context, key tableKey, task store.Task) (cursor []byte, done bool, err error) {
	lower, err := key.lower(key.table, task.Cursor)
	if err != nil {
		return nil, false, err
	}
	quotes := make([]string, len(key.columns))
	for i, column := range key.columns {
		quotes[i] = "quote(" + column + ")"
	}
	text := "SELECT " + strings.Join(quotes, ", ") + " FROM " + key.table
	if lower != "" {
		text += " WHERE " + lower
	}
	text += fmt.Sprintf(" ORDER BY %s LIMIT 2 OFFSET %d", strings.Join(key.columns, ", "), task.Size-1)
	rows, err := tx.conn.QueryContext(ctx, text)
	if err != nil {
		return nil, false, tx.store.explain(err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, true, rows.Err()
	}
	values := make([]string, len(key.columns))
	targets := make([]any, len(values))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, false, tx.store.explain(err)
	}
	if !rows.Next() {
		return nil, true, rows.Err()
	}
	return sqlaction.EncodeKey(values), false, nil
}

// tableKey is the order in which a table's rows are walked over.
type tableKey struct {
	table   string   // in quotes, with its schema
	columns []string // in quotes
}

// lower gives the condition for the rows behind a cursor, "" for all.
func (k tableKey) lower(alias string, cursor []byte) (string, error) {
	if len(cursor) == 0 {
		return "", nil
	}
	return k.compare(alias, ">", cursor)
}

// literal is what quote() gives: a number, a string or bytes.
var literal = regexp.MustCompile(`^(?:-?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|-?9\.0e\+999|'(?:[^']|'')*'|[xX]'[0-9a-fA-F]*')$`)

// compare gives a condition that compares the key with a cursor.
func (k tableKey) compare(alias, operator string, cursor []byte) (string, error) {
	values, err := sqlaction.DecodeKey(cursor)
	if err != nil {
		return "", err
	}
	if len(values) != len(k.columns) {
		return "", fmt.Errorf("the cursor %s has %d values, the key of %s has %d: the table was changed since the last stretch", cursor, len(values), k.table, len(k.columns))
	}
	left := make([]string, len(k.columns))
	for i, column := range k.columns {
		if !literal.MatchString(values[i]) {
			return "", fmt.Errorf("the cursor %s does not hold keys of %s", cursor, k.table)
		}
		left[i] = alias + "." + column
	}
	if len(left) == 1 {
		return left[0] + " " + operator + " " + values[0], nil
	}
	return fmt.Sprintf("(%s) %s (%s)", strings.Join(left, ", "), operator, strings.Join(values, ", ")), nil
}

// keyOf chooses the key of an action's table: its primary key where that never
// is NULL, else the rowid.
func (h *session) keyOf(ctx context.Context, of *sqlaction.Range) (tableKey, error) {
	schema := of.Name.Schema
	if schema == "" {
		schema = "main"
	}
	none := func(why string) (tableKey, error) {
		return tableKey{}, fmt.Errorf("%s cannot be cut into stretches: %s; write the step in Go, or as one statement in expand", of.Table, why)
	}
	var kind string
	var withoutRowid bool
	err := h.conn.QueryRowContext(ctx, `SELECT type, wr FROM pragma_table_list(?) WHERE schema = ? COLLATE NOCASE`, of.Name.Base, schema).Scan(&kind, &withoutRowid)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return none("there is no such table")
	case err != nil:
		return tableKey{}, err
	case kind != "table":
		return none("it is a " + kind + ", which has no key of its own")
	}
	columns, err := h.columnsOf(ctx, schema, of.Name.Base)
	if err != nil {
		return tableKey{}, err
	}
	key := tableKey{table: quoted(schema) + "." + quoted(of.Name.Base)}
	if primary, sound := primaryKey(columns, withoutRowid, of.Sets); sound {
		key.columns = primary
		return key, nil
	}
	if withoutRowid {
		return none("its statement changes the primary key, which is its only order")
	}
	rowid, why := rowidOf(columns, of.Sets)
	if why != "" {
		return none(why)
	}
	key.columns = []string{rowid}
	return key, nil
}

type column struct {
	name    string
	kind    string
	notNull bool
	primary int // place in the primary key, from 1; 0: not in it
}

func (h *session) columnsOf(ctx context.Context, schema, table string) ([]column, error) {
	rows, err := h.conn.QueryContext(ctx, `SELECT name, upper(type), "notnull", pk FROM pragma_table_info(?, ?) ORDER BY pk, cid`, table, schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.notNull, &c.primary); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// primaryKey gives the columns of a primary key that orders the rows: none of
// them may be NULL, which SQLite allows in a table with a rowid, and the
// statement may not change them.
func primaryKey(columns []column, withoutRowid bool, sets []string) ([]string, bool) {
	var primary []string
	for _, c := range columns {
		if c.primary == 0 {
			continue
		}
		if contains(sets, c.name) || !withoutRowid && !c.notNull {
			return nil, false
		}
		primary = append(primary, quoted(c.name))
	}
	return primary, len(primary) > 0
}

// rowidOf gives a name of the rowid that no column has taken, or why there is
// none.
func rowidOf(columns []column, sets []string) (name, why string) {
	var names, primary []string
	for _, c := range columns {
		names = append(names, c.name)
		if c.primary > 0 {
			primary = append(primary, c.name)
			if c.kind == "INTEGER" && contains(sets, c.name) {
				return "", "its statement changes the primary key " + c.name
			}
		}
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !contains(names, name) {
			return name, ""
		}
	}
	return "", "its columns hide the rowid, and its primary key (" + strings.Join(primary, ", ") + ") may be NULL"
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
