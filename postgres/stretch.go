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
	var keep func(cursor []byte)
	var sent *message
	progress, err := s.transact(ctx, task, idleLimit, func(t *transaction) (store.Progress, error) {
		t.next.own(keyStyles)
		key, err := t.keyOf(ctx, work.cut)
		if err != nil {
			return store.Progress{}, placed(work, err)
		}
		lower, last, err := key.ends(task)
		if err != nil {
			return store.Progress{}, placed(work, err)
		}
		var upper []string
		upper, keep, err = t.upper(ctx, work.cut, key, lower, last)
		if err != nil {
			return store.Progress{}, err
		}
		sent = t.next
		return t.perform(work, key, lower, upper, last), nil
	})
	if err == nil {
		keep(progress.Cursor)
		progress.Rows = sent.rows(0)
	}
	return progress, err
}

// ends gives where a task's next stretch begins, and where its span ends; nil:
// it is open on that side.
func (k *rangeKey) ends(task store.Task) (lower, last []string, err error) {
	from := task.Cursor
	if len(from) == 0 {
		from = task.Part.From
	}
	if lower, err = k.place(from); err != nil {
		return nil, nil, err
	}
	last, err = k.place(task.Part.Upto)
	return lower, last, err
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
// stretch of its span.
func (t *transaction) probe(ctx context.Context, cut *sqlaction.Range, key *rangeKey, lower, last []string) ([]string, error) {
	var sql strings.Builder
	// The columns are qualified: ORDER BY id alone would mean the output column
	// of id::text, and give the order of text.
	sql.WriteString("SELECT " + key.list("walked", "::text") + " FROM " + cut.Table + " AS walked")
	if within := key.within("walked", lower, last); within != "" {
		sql.WriteString(" WHERE " + within)
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

// perform adds the statement on the keys above lower up to upper; nil: up to the
// end of the span. It travels in one message with its record and the COMMIT, so
// that its rows are locked for no trip longer than they need be; how many they
// are is not known when it is recorded.
func (t *transaction) perform(work work, key *rangeKey, lower, upper, last []string) store.Progress {
	done := upper == nil
	if done {
		upper = last
	}
	written := work.parts[0]
	ranged := written.Statement
	ranged.Text = work.cut.Text(key.within(work.cut.Alias, lower, upper))
	t.next.user(0, 1, ranged)
	t.next.pieces[len(t.next.pieces)-1].written = written.Text
	progress := store.Progress{Cursor: t.task.Cursor, Done: done, Rows: -1}
	if upper != nil {
		progress.Cursor = sqlaction.EncodeKey(upper)
	}
	return progress
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
