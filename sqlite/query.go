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

// ask performs a Query in a transaction that only reads and is rolled back, so
// that it keeps nobody from writing, however long it takes. What is found is
// recorded in a second transaction, under the same guards; if the process dies
// in between, the query is asked again.
func (s *Store) ask(ctx context.Context, wait time.Duration, task store.Task) (store.Progress, error) {
	var progress store.Progress
	err := s.reading(ctx, wait, func(tx *transaction) (err error) {
		if err = tx.check(task.Guard); err != nil {
			return err
		}
		if err = tx.prove(task); err != nil {
			return err
		}
		progress, err = tx.query(task.Action.(*sqlaction.Action), task)
		return err
	})
	if err != nil {
		return store.Progress{}, err
	}
	if task.Record == nil {
		return progress, nil
	}
	err = s.write(ctx, wait, func(tx *transaction) error {
		if err := tx.check(task.Guard); err != nil {
			return err
		}
		_, err := tx.put(task.Record(progress))
		return err
	})
	if err != nil {
		return store.Progress{}, err
	}
	return progress, nil
}

// reading runs do in a transaction that is rolled back, and repeats it while
// the file is locked.
func (s *Store) reading(ctx context.Context, wait time.Duration, do func(*transaction) error) error {
	held, err := s.take(ctx, false)
	if err != nil {
		return err
	}
	defer func() { s.give(held, false) }()
	return patiently(ctx, wait, func() error {
		if _, err := held.exec(`BEGIN`); err != nil {
			return s.explain(err)
		}
		tx := &transaction{session: held, ctx: ctx, store: s}
		defer func() {
			if !tx.rollback() {
				held.broken = true
			}
		}()
		return do(tx)
	})
}

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
			tx.doubt()
			return store.Progress{}, atFault(tx.store.failed(tx.ctx, err, i+1, part, task.Timeout), action.Kinds[i])
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
