package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// doGroup performs tasks that only make new things in one transaction, with all
// of their notes: for tasks so small, opening and closing a transaction costs
// more than the work. Nobody waits for what it locks, because nobody knows the
// new things yet. If any of them fails nothing of it stays, and they are
// performed one by one.
func (s *Store) doGroup(ctx context.Context, tasks []store.Task, works []work) ([]store.Progress, error) {
	begun := time.Now()
	x, err := s.acquire(ctx)
	if err != nil {
		return nil, err
	}
	var m message
	s.begin(&m)
	m.own(s.enterSQL(tasks[0], idleLimit))
	var notes []store.Note
	for i, work := range works {
		for _, part := range work.parts {
			m.user(i, part.number, part.Statement)
		}
		if record := tasks[i].Record; record != nil {
			notes = append(notes, record(store.Progress{Done: true, Rows: -1})...)
		}
	}
	done, err := s.doneSQL(tasks[0].Guard, notes, true)
	if err != nil {
		x.release(ctx, nil)
		return nil, err
	}
	m.own(done)
	m.own("COMMIT")
	m.reset()
	completed, err := x.send(ctx, &m)
	x.release(ctx, err)
	if err == nil || m.committed(completed) {
		err = m.escapedAt()
	}
	if err != nil {
		return nil, s.taskFault(ctx, tasks[0], &m, completed, err, nil)
	}
	took := time.Since(begun) / time.Duration(len(works))
	all := make([]store.Progress, len(works))
	for i := range all {
		all[i] = store.Progress{Done: true, Rows: m.rows(i), Took: took}
	}
	return all, nil
}

// grouped counts the first tasks that only make new things, under the same
// guards and settings.
func grouped(tasks []store.Task, works []work) int {
	for i, work := range works {
		same := slices.EqualFunc(tasks[i].Guard, tasks[0].Guard, func(x, y store.Note) bool { return x.Key == y.Key && x.Rev == y.Rev }) &&
			tasks[i].Session == tasks[0].Session && tasks[i].Wait == tasks[0].Wait && tasks[i].Timeout == tasks[0].Timeout
		if !same || !work.makesOnly() {
			return i
		}
	}
	return len(works)
}

// locking are words of a CREATE TABLE that reach beyond the new table: they
// lock another one, or read it, for as long as the transaction lasts.
var locking = []string{"references", "partition of", "inherits", "select", "execute", "table "}

// makesOnly is true if the work does nothing but make tables, sequences and
// types that did not exist. What is not certain is not.
func (w work) makesOnly() bool {
	for _, p := range w.parts {
		if p.kind.Verb != "CREATE" || p.kind.IfNotExists {
			return false
		}
		switch p.kind.Object {
		case "TYPE", "SEQUENCE", "DOMAIN":
		case "TABLE":
			_, rest, _ := strings.Cut(strings.ToLower(p.Text), "table")
			if slices.ContainsFunc(locking, func(word string) bool { return strings.Contains(rest, word) }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// onlyTold tells a fault of the group that its tasks may be tried one by one
// after: nothing of it has stayed.
func onlyTold(ctx context.Context, err error) bool {
	var gone *store.UnreachableError
	return err != nil && ctx.Err() == nil && !errors.As(err, &gone)
}
