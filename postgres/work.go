package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/internal/sqltext"
	"github.com/stopover-dev/stopover/store"
)

// work is what of an action a task asks for.
type work struct {
	shape store.Shape
	parts []part
	cut   *sqlaction.Range // Stretched
	goes  *goAction        // an action in Go; the rest is empty
}

// part is one statement of an action.
type part struct {
	store.Statement
	number int // in the action, from 1
	kind   sqltext.Statement
}

// workOf reads a task. Actions of other kinds of stores are refused.
func workOf(task store.Task) (work, error) {
	if action, ok := task.Action.(*goAction); ok {
		return work{shape: action.shape, goes: action}, nil
	}
	action, ok := task.Action.(*sqlaction.Action)
	if !ok {
		return work{}, fmt.Errorf("PostgreSQL cannot perform an action of type %T", task.Action)
	}
	w := work{shape: action.Form, cut: action.Range}
	for i, statement := range action.Parts {
		if task.Only == 0 || task.Only == i+1 {
			w.parts = append(w.parts, part{Statement: statement, number: i + 1, kind: action.Kinds[i]})
		}
	}
	for _, p := range w.parts {
		if err := p.refuseStream(); err != nil {
			return work{}, err
		}
	}
	if len(w.parts) == 0 {
		return work{}, fmt.Errorf("the action has %d statements, no number %d", len(action.Parts), task.Only)
	}
	if len(w.parts) > 1 && w.hasAlone() {
		return work{}, fmt.Errorf("an action with a statement that stands alone is performed one statement at a time")
	}
	return w, nil
}

// refuseStream refuses COPY FROM STDIN, for which the server would wait until
// the context ends. Parse does so too; but an action may be made without it.
func (p part) refuseStream() error {
	if !strings.Contains(strings.ToLower(p.Text), "stdin") {
		return nil
	}
	_, err := sqltext.Split(sqltext.Postgres, p.Text, p.Line)
	var at *sqltext.Error
	if errors.As(err, &at) {
		return &store.StatementError{Statement: p.number, Line: at.Line, Message: at.Message, Err: err}
	}
	return err
}

func (w work) hasAlone() bool {
	for _, p := range w.parts {
		if p.Alone {
			return true
		}
	}
	return false
}

// alone is true if the work is one statement outside a transaction.
func (w work) alone() bool { return len(w.parts) == 1 && w.parts[0].Alone }
