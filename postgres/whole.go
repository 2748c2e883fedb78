package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// Limits of a task's transaction where the task sets none.
const (
	defaultWait = 3 * time.Second
	// idleLimit ends a transaction whose runner was stopped between two trips:
	// its locks would hold up its successor.
	idleLimit = 10 * time.Second
	// checkInterval is how soon a backend notices that its client is gone.
	checkInterval = 500 * time.Millisecond
)

// Do performs a task, or its next stretch.
func (s *Store) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	begun := time.Now()
	progress, err := s.perform(ctx, task)
	progress.Took = time.Since(begun)
	return progress, err
}

func (s *Store) perform(ctx context.Context, task store.Task) (store.Progress, error) {
	work, err := workOf(task)
	if err != nil {
		return store.Progress{}, err
	}
	switch {
	case work.goes != nil:
		return s.doGo(ctx, task, work.goes)
	case work.shape == store.Query:
		return s.query(ctx, task, work)
	case work.shape == store.Stretched:
		return s.stretch(ctx, task, work)
	case work.alone():
		return s.doAlone(ctx, task, work)
	case task.Proof != nil:
		return s.wholeProven(ctx, task, work)
	}
	return s.whole(ctx, task, work)
}

// whole performs a task in one message. If the process dies here, the server
// has the whole message and commits all of it, or has not and does nothing.
func (s *Store) whole(ctx context.Context, task store.Task, work work) (store.Progress, error) {
	// The connection comes first: with it the server's version is known.
	x, err := s.acquire(ctx)
	if err != nil {
		return store.Progress{}, err
	}
	var m message
	if err := s.addWhole(&m, 0, task, work); err != nil {
		x.release(ctx, nil)
		return store.Progress{}, err
	}
	m.reset()
	watch := s.watchBlockers(ctx, task)
	completed, err := x.send(ctx, &m)
	by := watch()
	x.release(ctx, err)
	if err == nil || m.committed(completed) {
		err = m.escapedAt()
	}
	if err != nil {
		return store.Progress{}, s.taskFault(ctx, task, &m, completed, err, by)
	}
	return store.Progress{Done: true, Rows: m.rows(0)}, nil
}

// addWhole adds a task's transaction to a message.
func (s *Store) addWhole(m *message, number int, task store.Task, work work) error {
	var notes []store.Note
	if task.Record != nil {
		notes = task.Record(store.Progress{Done: true, Rows: -1})
	}
	done, err := s.doneSQL(task.Guard, notes, true)
	if err != nil {
		return err
	}
	s.begin(m)
	m.own(s.enterSQL(task, idleLimit))
	for _, part := range work.parts {
		m.user(number, part.number, part.Statement)
	}
	m.own(done)
	m.own("COMMIT")
	return nil
}

// enterSQL calls stopover_enter.
func (s *Store) enterSQL(task store.Task, idle time.Duration) string {
	var keys, revs []string
	for _, guard := range task.Guard {
		if guard.Rev == store.Any {
			continue
		}
		keys = append(keys, quote(guard.Key))
		revs = append(revs, fmt.Sprint(guard.Rev))
	}
	timeout := "0"
	if task.Timeout > 0 {
		timeout = millis(task.Timeout)
	}
	also := allRows
	if s.serverVersion.Load() >= 17 {
		also += ", " + noLimit
	}
	return fmt.Sprintf("SELECT %s, %s(%d, %s, %s, %s, %s, %s, %s, %d)", also, s.books("enter"), store.Format,
		array(keys, "text"), array(revs, "bigint"), quote(sessionName(task)), millis(waitOf(task)), timeout, millis(idle),
		s.checkEvery())
}

// checkEvery gives client_connection_check_interval in ms; 0 for servers that
// do not know it.
func (s *Store) checkEvery() int64 {
	if s.serverVersion.Load() < 14 {
		return 0
	}
	return checkInterval.Milliseconds()
}

// sessionName is cut by the server at 63 bytes.
func sessionName(task store.Task) string {
	if task.Session == "" {
		return "stopover"
	}
	return task.Session
}

func waitOf(task store.Task) time.Duration {
	if task.Wait > 0 {
		return task.Wait
	}
	return defaultWait
}

// taskFault is fault, with what only a task knows: that one of its statements
// ended the transaction, and who held the lock.
func (s *Store) taskFault(ctx context.Context, task store.Task, m *message, completed int, err error, by []store.Session) error {
	if at := m.escapedAt(); at != nil {
		return at
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && s.isOurs(m, completed) && s.isOfBooks(refused) {
		switch refused.Code {
		case undefinedFunc, undefinedTable, undefinedSchema:
			return s.foreignBooks(ctx, refused)
		}
	}
	err = s.fault(ctx, m, completed, err, waitOf(task))
	if failed, ok := errors.AsType[*store.StatementError](err); ok {
		s.keys.Clear() // the table may be another one by now
		blameOnly(task, failed)
	}
	if locked, ok := errors.AsType[*store.LockedError](err); ok {
		locked.By = by
		s.contended.Store(time.Now().UnixMilli())
	}
	return err
}

// blameOnly gives a fault without a place, as that of a COMMIT, the statement's
// where there is only one.
func blameOnly(task store.Task, failed *store.StatementError) {
	statements, number := task.Action.Statements(), task.Only
	if number == 0 && len(statements) == 1 {
		number = 1
	}
	if failed.Statement == 0 && number > 0 && number <= len(statements) {
		failed.Statement, failed.Line = number, statements[number-1].Line
	}
}

// isOfBooks is true if what is missing is, by its name, a part of the books.
func (s *Store) isOfBooks(refused *pgconn.PgError) bool {
	return refused.Code == undefinedSchema || strings.Contains(refused.Message, "stopover_")
}

// isOurs is true if the piece that failed is not the user's.
func (s *Store) isOurs(m *message, completed int) bool {
	return completed < len(m.pieces) && m.pieces[completed].user == nil
}

// escapedAt finds a statement that ended the transaction, by the answer that
// only such statements give.
func (m *message) escapedAt() error {
	for _, p := range m.pieces {
		if p.user == nil {
			continue
		}
		switch p.tag.String() {
		case "COMMIT", "ROLLBACK", "PREPARE TRANSACTION":
			return &store.EscapedError{Statement: p.number, Line: p.user.Line}
		}
	}
	return nil
}

// rows counts what a task's statements changed, as the server counted.
func (m *message) rows(task int) int64 {
	var sum int64
	for _, p := range m.pieces {
		if p.user != nil && p.task == task && changes(p.tag) {
			sum += p.tag.RowsAffected()
		}
	}
	return sum
}

func changes(tag pgconn.CommandTag) bool {
	text := tag.String()
	return strings.HasPrefix(text, "INSERT") || strings.HasPrefix(text, "UPDATE") ||
		strings.HasPrefix(text, "DELETE") || strings.HasPrefix(text, "MERGE") || strings.HasPrefix(text, "COPY")
}
