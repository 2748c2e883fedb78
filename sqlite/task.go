package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// Do performs a task in one transaction with its guards and notes, but for a
// statement Alone.
func (s *Store) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	begun := time.Now()
	wait := task.Wait
	if wait <= 0 {
		wait = defaultWait
	}
	if err := checkTask(task); err != nil {
		return store.Progress{}, err
	}
	var progress store.Progress
	do := func(tx *transaction) (err error) {
		progress, err = tx.perform(task)
		return err
	}
	action, inSQL := task.Action.(*sqlaction.Action)
	if inSQL && action.Form == store.Query {
		progress, err := s.ask(ctx, wait, task)
		progress.Took = time.Since(begun)
		return progress, err
	}
	err := s.exclusive(ctx, wait, func(held *session) error {
		switch {
		case inSQL && alone(action, task.Only):
			progress = store.Progress{Done: true, Rows: -1}
			return s.doAlone(ctx, held, wait, task)
		case inSQL && dropsTable(action, task.Only):
			return held.withoutForeignKeys(ctx, func() error { return s.transact(ctx, held, wait, false, do) })
		}
		return s.transact(ctx, held, wait, !inSQL, do)
	})
	if err != nil {
		return store.Progress{}, err
	}
	progress.Took = time.Since(begun)
	if task.Action.Shape() == store.Stretched && !progress.Done {
		yield(ctx, progress.Took)
	}
	return progress, nil
}

// yield leaves the file alone for a moment after a stretch. SQLite has one
// writer and no queue: whoever waits for it looks again now and then, up to
// every 100 ms, and would hardly ever find it free between two stretches.
func yield(ctx context.Context, took time.Duration) {
	pause := time.NewTimer(min(took/2, longestYield))
	defer pause.Stop()
	select {
	case <-ctx.Done():
	case <-pause.C:
	}
}

// longestYield bounds what a backfill gives away of its speed.
const longestYield = 25 * time.Millisecond

// checkTask refuses what cannot be asked.
func checkTask(task store.Task) error {
	if task.Action == nil {
		return errors.New("the task has no action")
	}
	statements := task.Action.Statements()
	if task.Only < 0 || task.Only > len(statements) {
		return fmt.Errorf("perform statement %d: the action has %d", task.Only, len(statements))
	}
	if task.Only == 0 && slices.ContainsFunc(statements, func(s store.Statement) bool { return s.Alone }) {
		return errors.New("the action has a statement that cannot be in a transaction: its statements are performed one by one")
	}
	if task.Action.Shape() == store.Stretched && task.Size < 1 {
		return fmt.Errorf("perform a stretch of %d rows: at least one is needed", task.Size)
	}
	switch task.Action.(type) {
	case *sqlaction.Action, *goWhole, *goStretched:
		return nil
	}
	return fmt.Errorf("an action of the type %T was not made for SQLite", task.Action)
}

func alone(action *sqlaction.Action, only int) bool {
	return only > 0 && action.Parts[only-1].Alone
}

func dropsTable(action *sqlaction.Action, only int) bool {
	for i, kind := range action.Kinds {
		if kind.Verb == "DROP" && kind.Object == "TABLE" && (only == 0 || only == i+1) {
			return true
		}
	}
	return false
}

// perform does everything of a task between BEGIN and COMMIT. The guards are
// looked at once: nobody else can write before the COMMIT.
func (tx *transaction) perform(task store.Task) (store.Progress, error) {
	if err := tx.check(task.Guard); err != nil {
		return store.Progress{}, err
	}
	if err := tx.prove(task); err != nil {
		return store.Progress{}, err
	}
	if _, err := tx.exec(tripwireSet); err != nil {
		return store.Progress{}, tx.store.explain(err)
	}
	progress, err := tx.work(task)
	if err != nil {
		return store.Progress{}, err
	}
	last, line := lastStatement(task)
	if err := tx.disarm(last, line); err != nil {
		return store.Progress{}, err
	}
	if task.Record == nil {
		return progress, nil
	}
	if _, err := tx.put(task.Record(progress)); err != nil {
		return store.Progress{}, err
	}
	return progress, nil
}

// work performs the action itself.
func (tx *transaction) work(task store.Task) (store.Progress, error) {
	switch action := task.Action.(type) {
	case *goWhole:
		return tx.inGo(action, task)
	case *goStretched:
		return tx.stretchInGo(action, task)
	case *sqlaction.Action:
		if action.Form == store.Stretched {
			return tx.stretch(action, task)
		}
		return tx.whole(action, task)
	}
	return store.Progress{}, checkTask(task)
}

// prove performs the task's proof: what it finds stops the task.
func (tx *transaction) prove(task store.Task) error {
	if task.Proof == nil {
		return nil
	}
	proof, ok := task.Proof.(*sqlaction.Action)
	if !ok || proof.Form != store.Query {
		return fmt.Errorf("the proof of the type %T is no query in SQL", task.Proof)
	}
	found, err := tx.query(proof, store.Task{Sample: task.Sample, Timeout: task.Timeout})
	if err != nil {
		return err
	}
	if found.Rows > 0 {
		return &store.ViolationError{Rows: found.Rows, Sample: found.Sample}
	}
	return nil
}

// whole performs all statements, or the only one that is asked for.
func (tx *transaction) whole(action *sqlaction.Action, task store.Task) (store.Progress, error) {
	drops := dropsTable(action, task.Only)
	before := map[string]int64{}
	var err error
	if drops {
		if before, err = tx.orphans(); err != nil {
			return store.Progress{}, err
		}
	}
	progress := store.Progress{Done: true}
	for i := range action.Parts {
		if task.Only != 0 && task.Only != i+1 {
			continue
		}
		rows, err := tx.statementOf(action, i, action.Parts[i].Text, task.Timeout)
		if err != nil {
			return store.Progress{}, err
		}
		progress.Rows += rows
	}
	// Between the statements of `each` a rebuilt table may be missing.
	if drops && (task.Only == 0 || task.Only == len(action.Parts)) {
		if err := tx.noNewOrphans(action, before); err != nil {
			return store.Progress{}, err
		}
	}
	return progress, nil
}

// statementOf runs a part of an action, as text, and gives the rows that it
// changed; none for what does not change rows.
func (tx *transaction) statementOf(action *sqlaction.Action, i int, text string, timeout time.Duration) (int64, error) {
	ctx, cancel := within(tx.ctx, timeout)
	defer cancel()
	result, err := tx.conn.ExecContext(ctx, text)
	if err != nil {
		tx.doubt()
		return 0, atFault(tx.store.failed(tx.ctx, err, i+1, action.Parts[i], timeout), action.Kinds[i])
	}
	switch action.Kinds[i].Verb {
	case "UPDATE", "DELETE", "INSERT", "REPLACE":
		return result.RowsAffected()
	case "PRAGMA":
		if !action.Each {
			tx.doubt() // its settings must not reach the next task
		}
	}
	return 0, nil
}

func lastStatement(task store.Task) (number, line int) {
	statements := task.Action.Statements()
	number = task.Only
	if number == 0 {
		number = len(statements)
	}
	if number == 0 {
		return 0, 0
	}
	return number, statements[number-1].Line
}

func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}
