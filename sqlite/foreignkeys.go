package sqlite

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// withoutForeignKeys runs do on the connection without enforcement of foreign
// keys, which can only be changed outside of a transaction. Dropping a table
// deletes its rows first, and with enforcement that carries on to the rows that
// reference them, also where the constraints are deferred.
func (h *session) withoutForeignKeys(ctx context.Context, do func() error) error {
	var enforced bool
	if err := h.conn.QueryRowContext(ctx, `PRAGMA foreign_keys`).Scan(&enforced); err != nil {
		return fmt.Errorf("read PRAGMA foreign_keys: %w", err)
	}
	if !enforced {
		return do()
	}
	if _, err := h.conn.ExecContext(ctx, `PRAGMA foreign_keys = OFF`); err != nil {
		return fmt.Errorf("switch foreign keys off for a dropped table: %w", err)
	}
	defer func() {
		// A connection that cannot be restored must not be used again.
		if _, err := h.conn.ExecContext(context.Background(), `PRAGMA foreign_keys = ON`); err != nil {
			h.broken = true
		}
	}()
	return do()
}

// orphans counts the rows whose foreign keys lead nowhere, by the two tables.
func (tx *transaction) orphans() (map[string]int64, error) {
	rows, err := tx.conn.QueryContext(tx.ctx,
		`SELECT "table" || ' -> ' || "parent", count(*) FROM pragma_foreign_key_check GROUP BY 1`)
	if err != nil {
		return nil, fmt.Errorf("check foreign keys: %w", tx.store.explain(err))
	}
	defer rows.Close()
	found := map[string]int64{}
	for rows.Next() {
		var tables string
		var n int64
		if err := rows.Scan(&tables, &n); err != nil {
			return nil, fmt.Errorf("check foreign keys: %w", tx.store.explain(err))
		}
		found[tables] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("check foreign keys: %w", tx.store.explain(err))
	}
	return found, nil
}

// noNewOrphans fails if there are more orphans than before. Those that were
// there before are not this task's.
func (tx *transaction) noNewOrphans(action *sqlaction.Action, before map[string]int64) error {
	after, err := tx.orphans()
	if err != nil {
		return err
	}
	var found []string
	for tables, n := range after {
		if more := n - before[tables]; more > 0 {
			found = append(found, fmt.Sprintf("%d rows (%s)", more, tables))
		}
	}
	if len(found) == 0 {
		return nil
	}
	sort.Strings(found)
	last := len(action.Parts)
	return &store.StatementError{
		Statement: last, Line: action.Parts[last-1].Line, Code: "SQLITE_CONSTRAINT_FOREIGNKEY",
		Message: "foreign keys would lead nowhere: " + strings.Join(found, ", "),
		Hint:    "a dropped table's name must stand again at the end of the section, with the rows that others reference",
	}
}
