package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stopover-dev/stopover/store"
)

// Cutover is a step that makes the targets of a layout the keys that count, while
// writers of the sources may have been at work until just before. It waits until
// everything that they have written is in the targets, ends the copying for good,
// and records both together. The writers have to be shut out before: by Fence, or by
// who performs the step. What is written to a source afterwards is not carried over;
// it is listed, and keeps the source from being deleted.
//
// It is Whole. When it fails nothing has changed, and the copying goes on.
type Cutover struct {
	Layout Layout
	// Fence is raised by the step itself, and stays until the sources are deleted; nil:
	// none. It fits where one user of the server writes both the old and the new keys,
	// and patterns tell these apart.
	Fence *Fence
}

// Shape tells that it is one piece.
func (c Cutover) Shape() store.Shape { return store.Whole }

// Statements gives one, for people and for the step's checksum.
func (c Cutover) Statements() []store.Statement {
	text := "cut over: " + c.Layout.String()
	if c.Fence != nil {
		text += fmt.Sprintf(", with the user %s kept from writing all but %q", c.Fence.User, c.Fence.Writable)
	}
	return []store.Statement{{Text: text}}
}

const (
	pauseLimit   = 5 * time.Second // for which writers may be shut out before they are let in again
	confirmLimit = time.Second     // for a replica to have the copies
)

// TooSlowError says that the copies did not come up with the sources in the time for
// which writers may be shut out.
type TooSlowError struct {
	Limit time.Duration
	Err   error
}

func (e *TooSlowError) Error() string {
	return fmt.Sprintf("what the writers had written was not carried over within %s, and they were shut out so long: %v", e.Limit, e.Err)
}

func (e *TooSlowError) Unwrap() error { return e.Err }

// beforeCutover catches up, and opens what the cutover needs: connections to all
// nodes, and who they are.
func (m *mirror) beforeCutover(ctx context.Context) error {
	if err := m.caughtUp(ctx); err != nil {
		return err
	}
	seen, err := m.store.runs(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = seen
	return nil
}

// runs gives the run id of every node, by address. A node that was started anew has
// another one.
func (s *Store) runs(ctx context.Context) (map[string]string, error) {
	ids := map[string]string{}
	_, err := s.onMembers(ctx, func(addr string, node *goredis.Client) error {
		info, err := node.Info(ctx, "server").Result()
		ids[addr] = infoField(info, "run_id")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look which processes serve: %w", err)
	}
	return ids, nil
}

// cutOver performs a Cutover. Where the process dies before the record, a fence of
// the step's own stands, and the books say so; the next run catches up behind it.
func (s *Store) cutOver(ctx context.Context, c Cutover, task store.Task) (store.Progress, error) {
	m := s.mirrorOf(c.Layout, task)
	a, err := s.authorityOf(ctx, c.Layout)
	if err == nil && a.Targets {
		err = &CutOverError{}
	}
	if err == nil && m.seen == nil {
		err = m.beforeCutover(ctx)
	}
	if err != nil {
		return store.Progress{}, wrong(ctx, ctx, err, task)
	}
	if err := s.raiseOwn(ctx, c, &a, task); err != nil {
		// What an operator is to do by hand must not make us forget what it takes away.
		if hand, ok := errors.AsType[*ByHandError](err); !ok || !hand.ByHand() {
			err = errors.Join(err, s.liftOwn(ctx, c.Layout, &a, task))
		}
		return store.Progress{}, nothingCutOver(ctx, err)
	}
	w, err := m.quiet(ctx)
	if err == nil {
		err = w.confirmed(ctx)
	}
	if err == nil {
		err = errors.Join(s.stillShut(ctx, a), w.err())
	}
	if err != nil {
		m.listenAgain()
		return store.Progress{}, nothingCutOver(ctx, errors.Join(err, s.liftOwn(ctx, c.Layout, &a, task)))
	}
	progress := store.Progress{Done: true, Rows: -1}
	a.Targets, a.Runs = true, m.seen
	a.Users = append(a.Users, s.shutOut()...)
	var notes []store.Note
	if task.Record != nil {
		notes = task.Record(progress)
	}
	// Whoever dies before this has changed nothing. From here on targets are written
	// by new writers only.
	if err := s.keepAuthority(ctx, c.Layout, &a, task.Guard, notes...); err != nil {
		m.listenAgain()
		return store.Progress{}, err
	}
	// The step is done. The digests are what deleting the sources goes by; where they
	// cannot all be kept now, that is made up for before deleting.
	if err := m.keepAll(ctx, w); err == nil {
		a.Sealed = true
		_ = s.keepAuthority(ctx, c.Layout, &a, task.Guard)
	}
	m.end()
	return progress, nil
}

// nothingCutOver makes a failure before the record one that leaves nothing behind,
// also where it was interrupted: who has shut the writers out may let them in again.
// Only behind another holder is that not known.
func nothingCutOver(ctx context.Context, err error) error {
	if errors.As(err, new(*store.ConflictError)) {
		return err
	}
	failed := &store.StatementError{Statement: 1, Message: err.Error(), Err: err}
	if known := (*store.StatementError)(nil); errors.As(err, &known) {
		failed.Hint = known.Hint
	}
	return errors.Join(failed, ctx.Err())
}

// stillShut proves once more, when everything is carried over, that nobody whom a
// fence shuts out could write: a server that was started anew in between may have
// forgotten it, and what was written behind the last barrier is carried over by
// nobody.
func (s *Store) stillShut(ctx context.Context, a authority) error {
	err := s.proveFences(ctx, s.shutOut(), a.Fence)
	if errors.As(err, new(*UnfencedError)) {
		return &store.StatementError{Statement: 1, Message: err.Error(), Err: err,
			Hint: "a node has forgotten the fence, or somebody has lifted it: run the same command again, which raises it again"}
	}
	return err
}

// raiseOwn raises the fence of the step's own. What it takes away is in the books
// before.
func (s *Store) raiseOwn(ctx context.Context, c Cutover, a *authority, task store.Task) error {
	if c.Fence == nil {
		return nil
	}
	if a.Former == nil {
		before, err := s.BeforeFence(ctx, *c.Fence)
		if err != nil {
			return err
		}
		a.Fence, a.Former = c.Fence, &before
		if err := s.keepAuthority(ctx, c.Layout, a, task.Guard); err != nil {
			return err
		}
	}
	_, err := s.RaiseFence(ctx, *a.Fence, *a.Former)
	return err
}

// liftOwn gives back what the step's own fence took away, and forgets it. Behind
// another holder nothing is lifted: that one relies on it.
func (s *Store) liftOwn(ctx context.Context, layout Layout, a *authority, task store.Task) error {
	if a.Former == nil {
		return nil
	}
	if ctx.Err() != nil { // Ctrl-C: writers are let in all the same
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), pauseLimit)
		defer cancel()
		ctx = limited
	}
	if _, err := s.perform(ctx, call{guard: task.Guard}); err != nil {
		return err
	}
	if err := s.LiftFence(ctx, *a.Fence, *a.Former); err != nil {
		return err
	}
	a.Fence, a.Former = nil, nil
	return s.keepAuthority(ctx, layout, a, task.Guard)
}

// quiet returns when targets are what their sources are, and no event is carried
// over any more. Writers are shut out.
func (m *mirror) quiet(ctx context.Context) (*watch, error) {
	limited, cancel := context.WithTimeout(ctx, pauseLimit)
	defer cancel()
	for {
		w, err := m.tryQuiet(limited)
		if err == nil {
			return w, nil
		}
		gone := (*store.UnreachableError)(nil)
		if limited.Err() != nil && ctx.Err() == nil {
			// Not to be tried again while writers stay shut out: without what might pass.
			return nil, &TooSlowError{Limit: pauseLimit, Err: m.store.scrubbed(err)}
		}
		if !errors.As(err, &gone) {
			return nil, err
		}
		// Changes may have been missed: all keys are gone over behind the fence.
		if err := m.caughtUp(limited); err != nil && !errors.As(err, &gone) {
			return nil, err
		}
	}
}

func (m *mirror) tryQuiet(ctx context.Context) (*watch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.watching(ctx)
	if err != nil {
		return nil, err
	}
	if !w.passed {
		return nil, m.store.unreachable(errors.New("not all keys were gone over"))
	}
	err = w.barrier(ctx)
	if err == nil {
		err = w.unmoved(ctx) // behind the barrier: the masters that answered are still all there are
	}
	if err == nil {
		w.turnDeaf(true)
		err = w.dirty.settled(ctx)
	}
	if err == nil && w.err() == nil {
		err = m.even(ctx)
	}
	if why := w.err(); why != nil {
		return nil, m.lost(why)
	}
	if err != nil {
		return nil, m.lost(err)
	}
	return w, nil
}

// even compares the pairs that were changed too often to be compared before.
func (m *mirror) even(ctx context.Context) error {
	differing, err := m.store.differingInParts(ctx, m.hot)
	if err != nil || len(differing) == 0 {
		return err
	}
	d := differing[0]
	return &store.StatementError{Statement: 1, Message: fmt.Sprintf("%s and %s: %s", d.from, d.to, d.because)}
}

// turnDeaf ends or begins to carry events over. Those that come when deaf are
// remembered: nobody should have written any more.
func (w *watch) turnDeaf(deaf bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = deaf
	w.late = map[string]struct{}{}
}

// listenAgain gives up a watch that was deaf: what came meanwhile is found by going
// over all keys.
func (m *mirror) listenAgain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != nil {
		m.now.end()
		m.now, m.empty = nil, false
	}
}

// confirmed waits until a replica of every master that has any has the copies: a
// failover then loses none of them.
func (w *watch) confirmed(ctx context.Context) error {
	for _, addr := range w.nodes {
		if err := w.confirmedBy(ctx, addr); err != nil {
			return err
		}
	}
	return nil
}

func (w *watch) confirmedBy(ctx context.Context, addr string) error {
	s := w.store
	node, err := s.net.node(addr)
	if err != nil {
		return err
	}
	role, err := node.Do(ctx, "ROLE").Slice()
	if err != nil {
		return s.fault(ctx, err)
	}
	if len(role) < 3 {
		return nil
	}
	if replicas, _ := role[2].([]any); len(replicas) == 0 {
		return nil
	}
	key, err := w.guardOn(ctx, addr)
	if err != nil || key == "" {
		return err
	}
	// WAIT is about what its own connection has written.
	conn := node.Conn()
	defer func() { _ = conn.Close() }()
	wrote, err := conn.Eval(ctx, confirmScript.text, []string{key}, w.work.guard).Result()
	if err != nil {
		return s.fault(ctx, err)
	}
	if wrote == int64(0) {
		return &store.ConflictError{Key: highest(w.work.task.Guard).Key, Guard: true}
	}
	have, err := conn.Wait(ctx, 1, confirmLimit).Result()
	if err != nil {
		return s.fault(ctx, err)
	}
	if have == 0 {
		return &store.StatementError{Statement: 1,
			Message: fmt.Sprintf("no replica of %s had the copies within %s: a failover would lose some", addr, confirmLimit),
			Hint:    "let its replicas come up, or take them away, and run again"}
	}
	return nil
}

// guardOn gives the guard of a slot that a master owns; "": it has no keys of ours.
func (w *watch) guardOn(ctx context.Context, addr string) (string, error) {
	s := w.store
	from, upto := 0, slots
	if !s.net.cluster {
		return s.guardOf(0), nil
	}
	if s.tagged() {
		from = slot(s.books)
		upto = from + 1
	}
	for slot := from; slot < upto; slot++ {
		node, err := s.net.owner(ctx, slot)
		if err != nil {
			return "", s.fault(ctx, err)
		}
		if node.Options().Addr == addr {
			return s.guardOf(slot), nil
		}
	}
	return "", nil
}
