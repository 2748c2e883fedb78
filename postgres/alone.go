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
// takes no such settings: then the login's own have to be right.
func (s *Store) connectDirect(ctx context.Context, task store.Task, part part) (*pgx.Conn, error) {
	path, err := s.searchPath(ctx)
	if err != nil {
		return nil, err
	}
	config := s.direct.Copy()
	config.RuntimeParams = maps.Clone(config.RuntimeParams)
	config.RuntimeParams["application_name"] = sessionName(task)
	bare := config.Copy()
	config.RuntimeParams["search_path"] = path
	// Statements with CONCURRENTLY wait for other transactions, not only in
	// queues for locks, and stop nobody while they do: a limit would make them
	// fail on every busy store.
	if !part.kind.Concurrently {
		config.RuntimeParams["lock_timeout"] = millis(waitOf(task))
	}
	if task.Timeout > 0 {
		config.RuntimeParams["statement_timeout"] = millis(task.Timeout)
	}
	if every := s.checkEvery(); every > 0 {
		config.RuntimeParams["client_connection_check_interval"] = fmt.Sprint(every)
	}
	if s.role != "" {
		config.RuntimeParams["role"] = s.role
	}
	conn, err := s.dial(ctx, config)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == unsupported {
		return s.connectBare(ctx, bare)
	}
	if err != nil {
		return nil, s.dialFault(ctx, err)
	}
	return conn, nil
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

// connectBare connects through a pooler without settings, and refuses where
// that would put the statement into the wrong schema or under the wrong role.
func (s *Store) connectBare(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := s.dial(ctx, config)
	if err != nil {
		return nil, s.dialFault(ctx, err)
	}
	schema, role := "", ""
	var m message
	m.ask("SELECT coalesce(current_schema(), ''), current_user", func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			schema, role = string(r.Values()[0]), string(r.Values()[1])
		}
		return nil
	})
	completed, err := (&session{pg: conn.PgConn()}).send(ctx, &m)
	if err == nil && schema == s.schema && (s.role == "" || s.role == role) {
		return conn, nil
	}
	if err != nil {
		err = s.fault(ctx, &m, completed, err, 0)
	} else {
		err = fmt.Errorf("%s is behind a pooler, where a statement outside a transaction gets no settings: give direct_url, the server's own address", s.place)
	}
	conn.Close(context.WithoutCancel(ctx))
	return nil, err
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
