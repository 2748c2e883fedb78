package postgres

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// stretch performs the next stretch: it looks where Size rows further on the
// key stands, performs the statement on what lies between, and records it.
// The last stretch has no upper end: rows with keys above all others belong to
// it, however late they come.
func (s *Store) stretch(ctx context.Context, task store.Task, work work) (store.Progress, error) {
	return s.transact(ctx, task, idleLimit, func(t *transaction) (store.Progress, error) {
		// Ends of ranges are kept as text: ISO dates are read alike by every
		// session.
		t.next.own("SET LOCAL datestyle = ISO")
		key, err := t.keyOf(ctx, work.cut)
		if err != nil {
			return store.Progress{}, placed(work, err)
		}
		lower, err := key.place(task.Cursor)
		if err != nil {
			return store.Progress{}, placed(work, err)
		}
		upper, err := t.probe(ctx, work.cut, key, lower)
		if err != nil {
			return store.Progress{}, err
		}
		return t.perform(ctx, work, key, lower, upper)
	})
}

// placed gives an error of ours the place of the statement.
func placed(work work, err error) error {
	switch err.(type) {
	case *store.ConflictError, *store.NewerError, *store.LockedError, *store.RightsError, *store.StatementError, *store.UnreachableError:
		return err
	}
	return &store.StatementError{Statement: 1, Line: work.parts[0].Line, Message: err.Error(), Err: err}
}

// probe finds the key of the last row of this stretch; nil if it is the last
// stretch.
func (t *transaction) probe(ctx context.Context, cut *sqlaction.Range, key *rangeKey, lower []string) ([]string, error) {
	var sql strings.Builder
	// The columns are qualified: ORDER BY id alone would mean the output column
	// of id::text, and give the order of text.
	sql.WriteString("SELECT " + key.list("walked", "::text") + " FROM " + cut.Table + " AS walked")
	if lower != nil {
		sql.WriteString(" WHERE " + key.condition("walked", ">", lower))
	}
	fmt.Fprintf(&sql, " ORDER BY %s OFFSET %d LIMIT 1", key.list("walked", ""), max(t.task.Size, 1)-1)
	var upper []string
	t.next.ask(sql.String(), func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			for _, value := range r.Values() {
				upper = append(upper, string(value))
			}
		}
		return nil
	})
	return upper, t.send(ctx)
}

// perform runs the statement on the keys above lower up to upper.
func (t *transaction) perform(ctx context.Context, work work, key *rangeKey, lower, upper []string) (store.Progress, error) {
	var conditions []string
	if lower != nil {
		conditions = append(conditions, key.condition(work.cut.Alias, ">", lower))
	}
	if upper != nil {
		conditions = append(conditions, key.condition(work.cut.Alias, "<=", upper))
	}
	written := work.parts[0]
	ranged := written.Statement
	ranged.Text = work.cut.Text(strings.Join(conditions, " AND "))
	t.next.user(0, 1, ranged)
	t.next.pieces[len(t.next.pieces)-1].written = written.Text
	sent := t.next
	if err := t.send(ctx); err != nil {
		return store.Progress{}, err
	}
	progress := store.Progress{Cursor: t.task.Cursor, Done: upper == nil, Rows: sent.rows(0)}
	if upper != nil {
		progress.Cursor = sqlaction.EncodeKey(upper)
	}
	return progress, nil
}

// lineAsWritten gives the line of a position in a statement that was sent with
// a condition put in. Only what stands behind the condition has moved down.
func lineAsWritten(written, sent string, line, position int) int {
	last := line + strings.Count(written, "\n")
	at := sqltext.LineAt(sent, line, position)
	behind := utf8.RuneCountInString(sent) - utf8.RuneCountInString(written[len(written)-commonSuffix(written, sent):])
	if position > behind {
		at -= strings.Count(sent, "\n") - strings.Count(written, "\n")
	}
	return min(at, last)
}

// commonSuffix gives its length in bytes, at the begin of a character.
func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !utf8.RuneStart(a[len(a)-n]) {
		n--
	}
	return n
}
