package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// longestValue is how much of a column's value a sample shows, in bytes.
const longestValue = 120

// violations is what a query found.
type violations struct {
	rows   int64
	sample []string
}

// query performs a Query action. Nothing that it calls can change anything.
func (s *Store) query(ctx context.Context, task store.Task, work work) (store.Progress, error) {
	if task.Record == nil && len(task.Guard) == 0 && task.Proof == nil {
		return s.look(ctx, task, work, true)
	}
	found := &violations{}
	return s.transact(ctx, task, idleLimit, func(t *transaction) (store.Progress, error) {
		t.next.violations(work, task.Sample, found)
		err := t.send(ctx)
		return found.progress(), err
	})
}

func (v *violations) progress() store.Progress {
	return store.Progress{Done: true, Rows: v.rows, Sample: v.sample}
}

// look performs a query with nothing to record, in one trip. It asks nothing
// of the books but their format, so that it also works where there are none,
// and on a server that takes no writes.
func (s *Store) look(ctx context.Context, task store.Task, work work, books bool) (store.Progress, error) {
	x, err := s.acquire(ctx)
	if err != nil {
		return store.Progress{}, err
	}
	found := &violations{}
	format := 0
	var m message
	s.beginLook(&m)
	if books {
		m.ask(s.formatSQL(), readFormat(&format))
	}
	m.own(s.settingsSQL(task))
	m.violations(work, task.Sample, found)
	m.own("COMMIT")
	m.reset()
	watch := s.watchBlockers(ctx, task)
	completed, err := x.send(ctx, &m)
	by := watch()
	x.release(ctx, err)
	if books && isAbsent(err) && s.isOurs(&m, completed) {
		return s.look(ctx, task, work, false)
	}
	if err != nil {
		return store.Progress{}, s.taskFault(ctx, task, &m, completed, err, by)
	}
	if format > store.Format {
		return store.Progress{}, &store.NewerError{Found: format, Known: store.Format}
	}
	return found.progress(), nil
}

// settingsSQL sets what stopover_enter sets.
func (s *Store) settingsSQL(task store.Task) string {
	set := []string{
		setting("lock_timeout", millis(waitOf(task))),
		setting("application_name", sessionName(task)),
		allRows,
		"set_config('search_path', CASE current_setting('search_path') WHEN '' THEN " + quote(ident(s.schema)) +
			" ELSE " + quote(ident(s.schema)+", ") + " || current_setting('search_path') END, true)",
	}
	if task.Timeout > 0 {
		set = append(set, setting("statement_timeout", millis(task.Timeout)))
	} else {
		set = append(set, setting("statement_timeout", "0")) // the login may have one of its own
	}
	if s.serverVersion.Load() >= 17 {
		set = append(set, noLimit)
	}
	if every := s.checkEvery(); every > 0 {
		set = append(set, setting("client_connection_check_interval", fmt.Sprint(every)))
	}
	return "SELECT " + strings.Join(set, ", ")
}

// allRows makes the server refuse, by name, what row security would hide from
// this role: a verification that sees half of a table proves nothing.
const allRows = "set_config('row_security', 'off', true)"

// noLimit takes away the login's own limit of a whole transaction (servers from
// 17 on).
const noLimit = "set_config('transaction_timeout', '0', true)"

func setting(name, value string) string {
	return "set_config('" + name + "', " + quote(value) + ", true)"
}

// violations adds a query's statements: each goes through a cursor, so that the
// server counts the rows and sends no more of them than are shown. The
// savepoint is taken back, and with it that writes are refused.
func (m *message) violations(work work, sample int, found *violations) {
	m.own("SAVEPOINT stopover_look")
	m.own("SET LOCAL transaction_read_only = on")
	m.own("SET LOCAL cursor_tuple_fraction = 1")
	for _, part := range work.parts {
		m.wrapped("DECLARE stopover_rows NO SCROLL CURSOR FOR ", part.number, part.Statement)
		if sample > 0 {
			m.fromCursor(part, fmt.Sprintf("FETCH FORWARD %d FROM stopover_rows", sample), found.fetched(sample))
		}
		m.fromCursor(part, "MOVE FORWARD ALL FROM stopover_rows", found.moved)
		m.own("CLOSE stopover_rows")
	}
	m.own("ROLLBACK TO SAVEPOINT stopover_look")
	m.own("RELEASE SAVEPOINT stopover_look")
}

// fromCursor adds a statement of ours whose failure is the user's: a query
// fails when its rows are asked for.
func (m *message) fromCursor(part part, sql string, read func(*pgconn.ResultReader) error) {
	m.own(sql)
	last := &m.pieces[len(m.pieces)-1]
	last.read, last.number, last.blame = read, part.number, &part.Statement
}

// fetched reads the rows of a sample; several statements share its size.
func (v *violations) fetched(limit int) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			v.rows++
			if len(v.sample) < limit {
				v.sample = append(v.sample, line(r.FieldDescriptions(), r.Values()))
			}
		}
		return nil
	}
}

func (v *violations) moved(r *pgconn.ResultReader) error {
	tag, err := r.Close()
	v.rows += tag.RowsAffected()
	return err
}

// line shows a row: "id=17 currency=NULL".
func line(fields []pgconn.FieldDescription, values [][]byte) string {
	words := make([]string, len(values))
	for i, value := range values {
		text := string(value)
		if value == nil {
			text = "NULL"
		}
		if len(text) > longestValue {
			text = strings.ToValidUTF8(text[:longestValue], "") + "..."
		}
		words[i] = fields[i].Name + "=" + text
	}
	return strings.Join(words, " ")
}
