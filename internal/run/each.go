package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/internal/wire"
	"github.com/stopover-dev/stopover/plan"
	"github.com/stopover-dev/stopover/store"
)

// each performs a step statement by statement. What has run is kept by its
// checksum: after a failure the rest may be mended in the file, what has run
// may not. A statement that can be in a transaction is committed with its
// progress; one that cannot stands between a "doing" line and a done one, and
// whoever dies between the two leaves the next run to look at its effect.
func (r *Runner) each(ctx context.Context, w Work) (Outcome, error) {
	line := r.line(w)
	statements := w.Action.Statements()
	outcome := Outcome{Rows: line.Rows, Resumed: len(line.Finished) > 0 || line.Doing > 0}
	if err := Unchanged(w.ID, line, statements); err != nil {
		return outcome, err
	}
	if !outcome.Resumed {
		if err := r.open(ctx, w, line); err != nil {
			return outcome, err
		}
	}
	for i := len(line.Finished); i < len(statements); i++ {
		if r.late() {
			return outcome, ErrUntil
		}
		r.tell(wire.Event{Kind: wire.EventProgress, Statement: i + 1, Statements: len(statements)}, w.ID)
		last := i == len(statements)-1
		next, err := r.statement(ctx, w, line, i+1, last)
		if errors.Is(err, errRecorded) {
			return outcome, nil
		}
		if err != nil {
			return outcome, err
		}
		line, outcome.Rows = next, next.Rows
	}
	return outcome, nil
}

// open records that the step has begun, after its proof was asked once more.
func (r *Runner) open(ctx context.Context, w Work, line book.Line) error {
	if w.Proof != nil {
		found, err := r.ask(ctx, w, w.Proof)
		if err != nil {
			return err
		}
		if found.Rows > 0 {
			return &store.ViolationError{Rows: found.Rows, Sample: found.Sample}
		}
	}
	return r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error { return r.write(ctx, line) })
}

// statement performs the statement with this number and gives the line after it.
func (r *Runner) statement(ctx context.Context, w Work, line book.Line, number int, last bool) (book.Line, error) {
	statement := w.Action.Statements()[number-1]
	if statement.Alone {
		return r.alone(ctx, w, line, number, last)
	}
	task := r.task(w)
	task.Only, task.Proof = number, nil
	var after book.Line
	task.Record = func(p store.Progress) []store.Note {
		after = r.after(line, statement, max(p.Rows, 0), last)
		return []store.Note{after.Note()}
	}
	err := r.insist(ctx, w, func(ctx context.Context, wait time.Duration) error {
		if r.hasRun(w, number) {
			after = r.line(w) // the broken connection had committed it
			return nil
		}
		task.Wait = wait
		_, err := r.Store.Do(ctx, task)
		return err
	})
	if err != nil {
		return line, err
	}
	r.keep(after)
	return after, nil
}

// hasRun tells whether the books, as last read, hold the statement as done.
func (r *Runner) hasRun(w Work, number int) bool {
	return len(r.Books.Lines[stepOf(w)].Finished) >= number
}

// after is the line when one more statement is done.
func (r *Runner) after(line book.Line, statement store.Statement, rows int64, last bool) book.Line {
	line.Finished = append(line.Finished[:len(line.Finished):len(line.Finished)], StatementSum(statement))
	line.Doing = 0
	line.Rows += rows
	if last {
		line = r.finished(line, line.Rows)
	}
	return line
}

// alone performs a statement that cannot be in a transaction.
func (r *Runner) alone(ctx context.Context, w Work, line book.Line, number int, last bool) (book.Line, error) {
	statement := w.Action.Statements()[number-1]
	complete := false
	err := r.insist(ctx, w, func(ctx context.Context, wait time.Duration) (err error) {
		if line.Doing == number {
			// Begun by a run that died, or by an attempt of this one that broke.
			complete, err = r.remains(ctx, w, number)
			if err != nil || complete {
				return err
			}
		}
		line.Doing = number
		if err := r.write(ctx, line); err != nil {
			return err
		}
		task := r.task(w)
		task.Only, task.Proof, task.Wait = number, nil, wait
		_, err = r.Store.Do(ctx, task)
		return err
	})
	if err != nil {
		return line, err
	}
	next := r.after(line, statement, 0, last)
	return next, r.insist(ctx, w, func(ctx context.Context, _ time.Duration) error { return r.write(ctx, next) })
}

// remains looks at what is left of a statement whose end is not recorded: it
// waits for whoever still runs it, takes half an effect away, and tells whether
// the effect is complete.
func (r *Runner) remains(ctx context.Context, w Work, number int) (complete bool, err error) {
	inspector, able := store.As[store.Inspector](r.Store)
	if !able {
		return false, r.undecided(w, number, "this kind of store cannot tell")
	}
	for {
		effect, err := inspector.Inspect(ctx, w.Action, number)
		if err != nil {
			return false, err
		}
		switch effect.State {
		case store.Missing:
			return false, nil
		case store.Complete:
			return true, nil
		case store.Broken:
			return false, r.repair(ctx, w, effect)
		case store.Running:
			if err := r.outlast(ctx, w, effect); err != nil {
				return false, err
			}
		default:
			return false, r.undecided(w, number, effect.Because)
		}
	}
}

func (r *Runner) undecided(w Work, number int, because string) error {
	return &UndecidedError{ID: w.ID, Statement: number, Because: because, Text: w.Action.Statements()[number-1].Text}
}

// repair takes half an effect away. It is the store's own statement, outside a
// transaction like the one it repairs; repeating it is harmless.
func (r *Runner) repair(ctx context.Context, w Work, effect store.Effect) error {
	for i := range effect.Repair.Statements() {
		task := r.task(w)
		task.Action, task.Only, task.Proof = effect.Repair, i+1, nil
		if _, err := r.Store.Do(ctx, task); err != nil {
			return fmt.Errorf("repair (%s): %w", effect.Because, err)
		}
	}
	r.tell(wire.Event{Kind: wire.EventRepaired, Text: effect.Because}, w.ID)
	return nil
}

// outlast ends an orphan of a displaced run, or waits a moment for a session
// that is not ours to end.
func (r *Runner) outlast(ctx context.Context, w Work, effect store.Effect) error {
	if lister, able := store.As[store.Lister](r.Store); able && effect.Session != nil && r.Lease.Displaced(*effect.Session) {
		return lister.End(ctx, *effect.Session)
	}
	r.tell(wire.Event{Kind: wire.EventWaiting, Text: effect.Because}, w.ID)
	return sleep(ctx, longestPause/3)
}

// Unchanged compares the statements that have run with those in the file.
func Unchanged(id plan.StepID, line book.Line, statements []store.Statement) error {
	for i, sum := range line.Finished {
		if i >= len(statements) {
			return &EditedError{ID: id, Statement: i + 1}
		}
		if StatementSum(statements[i]) != sum {
			return &EditedError{ID: id, Statement: i + 1, Line: statements[i].Line}
		}
	}
	return nil
}

// StatementSum is a statement's checksum: its text with line ends and trailing
// blanks normalised.
func StatementSum(s store.Statement) string {
	lines := strings.Split(strings.ReplaceAll(s.Text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(strings.Join(lines, "\n"))))
	return hex.EncodeToString(sum[:8])
}
