package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// longestLine is how many characters of a sample line are kept.
const longestLine = 300

// query counts what the action's queries return, all together, and describes
// the first rows. The lines tell a row by its columns: "id=17, email=x".
func (tx *transaction) query(action *sqlaction.Action, task store.Task) (store.Progress, error) {
	progress := store.Progress{Done: true}
	for i, part := range action.Parts {
		if task.Only != 0 && task.Only != i+1 {
			continue
		}
		err := tx.queryPart(part.Text, task, &progress)
		if err != nil {
			tx.broken = true
			return store.Progress{}, tx.store.failed(tx.ctx, err, i+1, part, task.Timeout)
		}
	}
	return progress, nil
}

func (tx *transaction) queryPart(text string, task store.Task, progress *store.Progress) error {
	ctx, cancel := within(tx.ctx, task.Timeout)
	defer cancel()
	rows, err := tx.conn.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		progress.Rows++
		if len(progress.Sample) >= task.Sample {
			// Rows that are only counted can be many: the context is looked at
			// by the driver between steps, but not by rows that come quickly.
			if progress.Rows%1024 == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			continue
		}
		line, err := sampleLine(rows, columns)
		if err != nil {
			return err
		}
		progress.Sample = append(progress.Sample, line)
	}
	return rows.Err()
}

func sampleLine(rows *sql.Rows, columns []string) (string, error) {
	values := make([]any, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return "", err
	}
	parts := make([]string, len(columns))
	for i, value := range values {
		parts[i] = columns[i] + "=" + show(value)
	}
	line := []rune(strings.Join(parts, ", "))
	if len(line) > longestLine {
		return string(line[:longestLine]) + "…", nil
	}
	return string(line), nil
}

func show(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case []byte:
		return "x'" + hex.EncodeToString(v[:min(len(v), longestLine)]) + "'"
	case string:
		return strings.Join(strings.Fields(v), " ")
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprint(value)
}
