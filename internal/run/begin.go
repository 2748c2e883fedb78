package run

import (
	"context"
	"errors"

	"github.com/stopover-dev/stopover/internal/book"
	"github.com/stopover-dev/stopover/store"
)

// Floored tells whether the work raises floors and has not begun: then they are
// proposed and put in force before it is performed.
func (r *Runner) Floored(w Work) bool {
	line, found := r.Books.Lines[book.Step{Migration: w.ID.Migration, Kind: w.ID.Kind}]
	return (w.Writers != "" || w.Readers != "") && !(found && line.IsBegun())
}

// Propose announces the floors of the work.
func (r *Runner) Propose(ctx context.Context, w Work) (book.Proposal, error) {
	return r.Lease.Propose(ctx, r.line(w))
}

// Begin puts proposed floors in force: the step has begun. back undoes that
// where the work fails in a way that leaves nothing of it in the store.
//
// Whoever dies behind this leaves a step that is begun; the next run does it.
func (r *Runner) Begin(ctx context.Context, w Work, proposal book.Proposal) (back func(context.Context, error) error, err error) {
	key := book.Step{Migration: w.ID.Migration, Kind: w.ID.Kind}
	before, found := r.Books.Lines[key]
	line := r.line(w)
	if err := r.Lease.Begin(ctx, proposal, line); err != nil {
		return nil, err
	}
	r.keep(line)
	return func(ctx context.Context, failed error) error {
		now, still := r.Books.Lines[key]
		if !still || !now.IsBegun() || len(now.Finished) > 0 || now.Doing > 0 || !LeftNothing(w, failed) {
			return nil
		}
		if found {
			return r.write(ctx, before)
		}
		if err := r.Lease.Write(ctx, line.GoneLine()); err != nil {
			return err
		}
		delete(r.Books.Lines, key)
		return nil
	}, nil
}

// LeftNothing tells whether a failure is one after which a transaction is known
// to have been rolled back, or not to have begun.
func LeftNothing(w Work, failed error) bool {
	var statement *store.StatementError
	var violation *store.ViolationError
	var locked *store.LockedError
	var syntax *store.SyntaxError
	if w.Action.Shape() == store.Stretched {
		return errors.As(failed, &violation) // its proof is asked before its first stretch
	}
	if w.Action.Shape() != store.Whole {
		return false
	}
	return errors.Is(failed, ErrUntil) || errors.As(failed, &statement) || errors.As(failed, &violation) ||
		errors.As(failed, &locked) || errors.As(failed, &syntax)
}
