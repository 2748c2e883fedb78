package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// unsupported is the code with which poolers refuse settings at the start of a
// connection.
const unsupported = "08P01"

// doAlone performs one statement outside a transaction, on a connection of its
// own to the server itself. It cannot be fenced: the guards are checked just
// before, and whoever takes over ends the sessions of this name. If the process
// dies here, an Inspector tells what became of the statement.
func (s *Store) doAlone(ctx context.Context, task store.Task, work work) (store.Progress, error) {
	if _, err := s.Swap(ctx, task.Guard); err != nil {
		return store.Progress{}, err
	}
	if err := s.proveAlone(ctx, task); err != nil {
		return store.Progress{}, err
	}
	conn, err := s.connectDirect(ctx, task, work.parts[0])
	if err != nil {
		return store.Progress{}, err
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		conn.Close(after)
	}()
	// Nothing rides with the statement: in one message with another it would be
	// in a transaction.
	only := message{}
	only.user(0, work.parts[0].number, work.parts[0].Statement)
	x := &session{pg: conn.PgConn()}
	watch := s.watchBlockers(ctx, task)
	completed, err := x.send(ctx, &only)
	by := watch()
	if err != nil {
		return store.Progress{}, s.taskFault(ctx, task, &only, completed, err, by)
	}
	return store.Progress{Done: true, Rows: only.rows(0)}, nil
}

func (s *Store) proveAlone(ctx context.Context, task store.Task) error {
	if task.Proof == nil {
		return nil
	}
	proof := store.Task{Action: task.Proof, Sample: task.Sample, Session: task.Session, Wait: task.Wait, Timeout: task.Timeout}
	found, err := s.Do(ctx, proof)
	if err == nil && found.Rows > 0 {
		err = &store.ViolationError{Rows: found.Rows, Sample: found.Sample}
	}
	return err
}

// connectDirect makes a connection whose settings are part of its start: they
// can leak to nobody, and the statement needs no other before it. A pooler
// refuses such settings, or drops them: then the server's own address is asked
// for.
func (s *Store) connectDirect(ctx context.Context, task store.Task, part part) (*pgx.Conn, error) {
	path, err := s.searchPath(ctx)
	if err != nil {
		return nil, err
	}
	config := s.direct.Copy()
	config.RuntimeParams = maps.Clone(config.RuntimeParams)
	maps.Copy(config.RuntimeParams, s.aloneSettings(task, part, path))
	conn, err := s.dial(ctx, config)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == unsupported {
		return nil, s.needsDirect(part)
	}
	if err != nil {
		return nil, s.dialFault(ctx, err)
	}
	taken, err := s.hasPath(ctx, conn, path)
	if err == nil && !taken {
		err = s.needsDirect(part)
	}
	if err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}

// aloneSettings are those that a task's transaction would set.
func (s *Store) aloneSettings(task store.Task, part part, path string) map[string]string {
	settings := map[string]string{"application_name": sessionName(task), "search_path": path, "statement_timeout": "0"}
	// Statements with CONCURRENTLY wait for other transactions, not only in
	// queues for locks, and stop nobody while they do: a limit would make them
	// fail on every busy store.
	if part.kind.Concurrently {
		settings["lock_timeout"] = "0"
	} else {
		settings["lock_timeout"] = millis(waitOf(task))
	}
	if task.Timeout > 0 {
		settings["statement_timeout"] = millis(task.Timeout)
	}
	if every := s.checkEvery(); every > 0 {
		settings["client_connection_check_interval"] = fmt.Sprint(every)
	}
	if s.serverVersion.Load() >= 17 {
		settings["transaction_timeout"] = "0"
	}
	if s.role != "" {
		settings["role"] = s.role
	}
	return settings
}

// needsDirect asks for the setting that a pooler makes necessary.
func (s *Store) needsDirect(part part) error {
	return &store.SettingError{Setting: "direct_url", Message: fmt.Sprintf(
		"statement %d (line %d) cannot be in a transaction, and %s is behind a pooler, where it gets no settings: give the store direct_url, the server's own address",
		part.number, part.Line, s.place)}
}

// hasPath tells whether a connection has the path that it was begun with.
func (s *Store) hasPath(ctx context.Context, conn *pgx.Conn, want string) (bool, error) {
	got := ""
	var m message
	m.ask("SELECT current_setting('search_path')", func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			got = string(r.Values()[0])
		}
		return nil
	})
	completed, err := (&session{pg: conn.PgConn()}).send(ctx, &m)
	if err != nil {
		return false, s.fault(ctx, &m, completed, err, 0)
	}
	return got == want, nil
}

func (s *Store) dial(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	return pgx.ConnectConfig(limited, config)
}

func (s *Store) dialFault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.unreachable(err)
}

// searchPath gives the path with the schema in front, as in transactions.
func (s *Store) searchPath(ctx context.Context) (string, error) {
	path := ""
	var m message
	m.ask("SELECT current_setting('search_path')", func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			path = string(r.Values()[0])
		}
		return nil
	})
	if completed, err := s.run(ctx, &m); err != nil {
		return "", s.fault(ctx, &m, completed, err, 0)
	}
	if path == "" {
		return ident(s.schema), nil
	}
	return ident(s.schema) + ", " + path, nil
}
