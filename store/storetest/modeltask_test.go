package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stopover-dev/stopover/store"
)

// work is the model's action. A tag "" fails; slow works until it is ended.
type work struct {
	form store.Shape
	tags []string
	slow bool
	lone bool
}

func (a work) Shape() store.Shape { return a.form }

func (a work) Statements() []store.Statement {
	if a.form != store.Whole {
		return []store.Statement{{Text: "rows"}}
	}
	var all []store.Statement
	for _, tag := range a.tags {
		all = append(all, store.Statement{Text: tag, Alone: a.lone})
	}
	return all
}

func (m *model) Do(ctx context.Context, task store.Task) (store.Progress, error) {
	if err := m.unblocked(task.Wait); err != nil {
		return store.Progress{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.enter(ctx); err != nil && m.bug != "Do does not look at the context" {
		return store.Progress{}, err
	}
	if err := m.known(); err != nil && m.bug != "Do works on newer books" {
		return store.Progress{}, err
	}
	if err := m.check(task.Guard); err != nil && m.bug != "Do ignores guards" {
		return store.Progress{}, err
	}
	if m.bug == "Do looks at guards only at its begin" {
		m.mu.Unlock()
		time.Sleep(50 * time.Microsecond)
		m.mu.Lock()
	}
	if err := m.prove(task); err != nil && m.bug != "a Proof is ignored" {
		return store.Progress{}, err
	}
	tags, rows := slices.Clone(m.tags), slices.Clone(m.rows)
	progress, err := m.perform(ctx, task)
	if task.Record != nil && (err == nil || m.bug == "notes are written though the statement failed") && !(task.Action.(work).lone) {
		told := progress
		if m.bug == "the recorded cursor is the one before" {
			told.Cursor = task.Cursor
		}
		_, refused := m.put(task.Record(told))
		err = errors.Join(err, refused)
		if refused != nil && m.bug == "work stays though a note was refused" {
			return store.Progress{}, refused
		}
	}
	if err != nil && m.bug != "work stays though a statement failed" {
		m.tags, m.rows = tags, rows
	}
	return progress, err
}

func (m *model) prove(task store.Task) error {
	if task.Proof == nil {
		return nil
	}
	if p := m.query(task); p.Rows > 0 {
		return &store.ViolationError{Rows: p.Rows, Sample: p.Sample}
	}
	return nil
}

// unblocked waits until nobody holds the block.
func (w *world) unblocked(wait time.Duration) error {
	w.mu.Lock()
	blocked := w.blocked
	w.mu.Unlock()
	if blocked == nil {
		return nil
	}
	if w.bug == "Wait is taken for zero" {
		wait = 0
	}
	select {
	case <-blocked:
		return nil
	case <-time.After(wait):
		if w.bug == "a lock is any error" {
			return errors.New("busy")
		}
		return &store.LockedError{Waited: max(wait, 1)}
	}
}

func (m *model) perform(ctx context.Context, task store.Task) (store.Progress, error) {
	action := task.Action.(work)
	switch action.form {
	case store.Query:
		return m.query(task), nil
	case store.Stretched:
		return m.stretch(task)
	}
	if task.Only < 0 || task.Only > len(action.tags) {
		return store.Progress{}, errors.New("no such statement")
	}
	for i, tag := range action.tags {
		if task.Only != 0 && task.Only != i+1 && m.bug != "Only performs everything" {
			continue
		}
		if tag == "" {
			if m.bug == "the number of the statement is counted from zero" {
				i--
			}
			return store.Progress{}, &store.StatementError{Statement: i + 1, Message: "it fails"}
		}
		m.tags = append(m.tags, tag)
	}
	if action.slow {
		if err := m.slowly(ctx, task); err != nil {
			return store.Progress{}, err
		}
	}
	if action.lone {
		m.alone, m.tags = true, nil
	}
	return store.Progress{Done: true}, nil
}

// slowly works for a minute, or until something ends it. The lock is given up,
// so that others can look.
func (m *model) slowly(ctx context.Context, task store.Task) error {
	ended := make(chan struct{})
	id := fmt.Sprint(len(m.sessions) + 1)
	name := task.Session
	if m.bug == "a session has no name" {
		name = ""
	}
	m.sessions[id] = &working{
		Session: store.Session{ID: id, Name: name, Since: time.Now(), Busy: time.Now()},
		end:     func() { close(ended) },
	}
	timeout := make(<-chan time.Time)
	if task.Timeout > 0 {
		timeout = time.After(task.Timeout)
	}
	m.mu.Unlock()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout:
		err = &store.StatementError{Statement: 1, Message: "it took too long"}
	case <-ended:
		err = errors.New("the session was ended")
	}
	if m.bug == "End does not wait" {
		time.Sleep(50 * time.Millisecond) // so that whoever asks at once sees it
	}
	m.mu.Lock()
	delete(m.sessions, id)
	switch {
	case m.bug == "a cancelled task is done" && ctx.Err() != nil:
		return nil
	case m.bug == "a task that took too long is done" && task.Timeout > 0:
		return nil
	}
	return err
}

func (m *model) query(task store.Task) store.Progress {
	p := store.Progress{Done: true}
	for i, touched := range m.rows {
		if touched > 0 {
			continue
		}
		p.Rows++
		if len(p.Sample) < task.Sample || m.bug == "a sample has no end" {
			p.Sample = append(p.Sample, fmt.Sprintf("row=%d", i+1))
		}
		if m.bug == "a Query changes rows" {
			m.rows[i]++
		}
	}
	if m.bug == "only the sample is counted" {
		p.Rows = int64(len(p.Sample))
	}
	return p
}

func (m *model) stretch(task store.Task) (store.Progress, error) {
	begin := 0
	if task.Cursor != nil {
		begin, _ = strconv.Atoi(string(task.Cursor))
	}
	end := min(begin+task.Size, len(m.rows))
	switch m.bug {
	case "the size is ignored":
		end = len(m.rows)
	case "each stretch is one row":
		end = min(begin+1, len(m.rows))
	}
	for i := begin; i < end; i++ {
		m.rows[i]++
	}
	p := store.Progress{Rows: int64(end - begin), Done: end == len(m.rows)}
	switch {
	case p.Done:
	case m.bug == "a cursor skips a row":
		p.Cursor = fmt.Append(nil, end+1)
	case m.bug == "a cursor repeats a row":
		p.Cursor = fmt.Append(nil, end-1)
	case m.bug == "a cursor does not move":
		p.Cursor = task.Cursor
	default:
		p.Cursor = fmt.Append(nil, end)
	}
	return p, nil
}

func (m *model) DoAll(ctx context.Context, tasks []store.Task) ([]store.Progress, error) {
	m.mu.Lock()
	tags := slices.Clone(m.tags)
	m.mu.Unlock()
	var all []store.Progress
	var failed error
	for _, task := range tasks {
		p, err := m.Do(ctx, task)
		switch {
		case err != nil && m.bug == "a batch goes on after a failure":
			failed = err
		case err != nil && m.bug == "a batch is all or nothing":
			m.mu.Lock()
			m.tags = tags
			m.mu.Unlock()
			return nil, err
		case err != nil && m.bug == "a batch hides its failure":
			return all, nil
		case err != nil:
			return all, err
		default:
			all = append(all, p)
		}
	}
	return all, failed
}

func (m *model) Inspect(context.Context, store.Action, int) (store.Effect, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.alone && m.bug != "an effect is not found" {
		return store.Effect{State: store.Complete}, nil
	}
	return store.Effect{State: store.Missing}, nil
}

func (m *model) Sessions(context.Context) ([]store.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []store.Session{{ID: "0", Name: "", Own: true}}
	for _, s := range m.sessions {
		all = append(all, s.Session)
	}
	return all, nil
}

func (m *model) End(_ context.Context, s store.Session) error {
	for {
		m.mu.Lock()
		at, there := m.sessions[s.ID]
		m.mu.Unlock()
		if !there {
			return nil
		}
		if at.end != nil {
			at.end()
			at.end = nil
		}
		if m.bug == "End does not wait" {
			return nil
		}
		time.Sleep(time.Millisecond)
	}
}

func (m *model) Describe(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	if m.seeded {
		lines = append(lines, "tags", "rows")
	}
	if m.bug == "the books are described" && m.prepared {
		lines = append(lines, "notes")
	}
	if m.bug == "data is described" {
		lines = append(lines, fmt.Sprint(m.rows))
	}
	return lines, nil
}

func (m *model) Estimate(context.Context, store.Action) (store.Estimate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bug == "an estimate is minus one" {
		return store.Estimate{Rows: -1}, nil
	}
	return store.Estimate{Rows: int64(len(m.rows))}, nil
}
