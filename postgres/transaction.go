package postgres

import (
	"context"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// transaction is a task's work in several trips. If the process dies in it, the
// server takes everything back; the guards are locked in the last trip only.
type transaction struct {
	s    *Store
	x    *session
	task store.Task
	// next is the message under construction. It begins with what opens the
	// transaction, so that the first trip does the first work too.
	next *message
}

// transact opens a transaction, performs the proof and the body, and closes it
// together with the notes.
func (s *Store) transact(ctx context.Context, task store.Task, idle time.Duration, body func(*transaction) (store.Progress, error)) (progress store.Progress, err error) {
	x, err := s.acquire(ctx)
	if err != nil {
		return store.Progress{}, err
	}
	// Also if the body panics the connection goes back; the pool gives up one
	// whose transaction is open.
	defer func() { x.release(ctx, err) }()
	t := &transaction{s: s, x: x, task: task, next: &message{}}
	s.begin(t.next)
	t.next.own(s.enterSQL(task, idle))
	progress, err = t.all(ctx, body)
	return progress, err
}

func (t *transaction) all(ctx context.Context, body func(*transaction) (store.Progress, error)) (store.Progress, error) {
	if err := t.prove(ctx); err != nil {
		return store.Progress{}, err
	}
	progress, err := body(t)
	if err != nil {
		return store.Progress{}, err
	}
	var notes []store.Note
	if t.task.Record != nil {
		notes = t.task.Record(progress)
	}
	done, err := t.s.doneSQL(t.task.Guard, notes, true)
	if err != nil {
		return store.Progress{}, err
	}
	t.next.own(done)
	t.next.own("COMMIT")
	t.next.reset()
	return progress, t.send(ctx)
}

// send sends the message under construction and starts the next one.
func (t *transaction) send(ctx context.Context) error {
	watch := t.s.watchBlockers(ctx, t.task)
	completed, err := t.x.send(ctx, t.next)
	by := watch()
	if err == nil || t.next.committed(completed) {
		err = t.next.escapedAt()
	}
	if err != nil {
		return t.s.taskFault(ctx, t.task, t.next, completed, err, by)
	}
	t.next = &message{}
	return nil
}

// prove performs the task's proof.
func (t *transaction) prove(ctx context.Context) error {
	if t.task.Proof == nil {
		return nil
	}
	proof, err := workOf(store.Task{Action: t.task.Proof})
	if err != nil {
		return err
	}
	work, err := workOf(t.task)
	if err != nil {
		return err
	}
	if err := t.lockWriters(ctx, work); err != nil {
		return err
	}
	found := &violations{}
	t.next.violations(proof, t.task.Sample, found)
	if err := t.send(ctx); err != nil {
		return err
	}
	if found.rows > 0 {
		return &store.ViolationError{Rows: found.rows, Sample: found.sample}
	}
	return nil
}

// wholeProven performs a Whole action behind its proof.
func (s *Store) wholeProven(ctx context.Context, task store.Task, work work) (store.Progress, error) {
	return s.transact(ctx, task, idleLimit, func(t *transaction) (store.Progress, error) {
		for _, part := range work.parts {
			t.next.user(0, part.number, part.Statement)
		}
		sent := t.next
		err := t.send(ctx)
		return store.Progress{Done: true, Rows: sent.rows(0)}, err
	})
}
