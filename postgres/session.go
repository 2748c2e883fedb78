package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/stopover-dev/stopover/store"
)

// connectLimit is the longest wait for a connection.
const connectLimit = 10 * time.Second

// resets take away what a migration's statements may have left in the session,
// settings, temporary tables and locks: behind a transaction pooler the next
// client gets it. They ride in the same
// message as the work, since only there is the same server connection certain.
var resets = []string{"RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET ALL", "DISCARD TEMP", "SELECT pg_advisory_unlock_all()"}

// session is a connection for the length of one call.
type session struct {
	pooled *pgxpool.Conn
	pg     *pgconn.PgConn
	soiled bool // a message did not get to its end, where its resets are
}

// acquire takes a connection from the pool, or makes one.
func (s *Store) acquire(ctx context.Context) (*session, error) {
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	pooled, err := s.pool.Acquire(limited)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.unreachable(err)
	}
	return &session{pooled: pooled, pg: pooled.Conn().PgConn()}, nil
}

// conn is the connection for Go actions.
func (x *session) conn() *pgx.Conn { return x.pooled.Conn() }

// send sends a message and reads all its answers. It gives the number of pieces
// that were completed; the error belongs to the one behind them, or to the
// message as a whole.
func (x *session) send(ctx context.Context, m *message) (int, error) {
	results := x.pg.Exec(ctx, m.text.String())
	completed := 0
	var failed error
	for results.NextResult() {
		reader := results.ResultReader()
		if completed < len(m.pieces) && m.pieces[completed].read != nil && failed == nil {
			failed = m.pieces[completed].read(reader)
		}
		tag, err := reader.Close()
		if err != nil {
			break // results.Close has it too
		}
		if completed < len(m.pieces) {
			m.pieces[completed].tag = tag
		}
		completed++
	}
	if err := results.Close(); err != nil {
		x.soiled = true
		return completed, err
	}
	return completed, failed
}

// release gives the connection back, clean. A connection that was interrupted
// is given up: a late cancel request could hit whoever uses it next.
func (x *session) release(ctx context.Context, failed error) {
	if (failed != nil || x.soiled) && !x.pg.IsClosed() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		var m message
		m.own("ROLLBACK")
		m.reset()
		if _, err := x.send(after, &m); err != nil || ctx.Err() != nil {
			x.pg.Close(after)
		}
	}
	if !x.pg.IsClosed() && !x.standard() {
		// Behind a pooler RESET ALL goes back to the server's defaults, not to what
		// this connection began with.
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		x.pg.Close(after)
	}
	x.pooled.Release()
}

// standard is true while the connection reads text as this package writes it.
func (x *session) standard() bool {
	return x.pg.ParameterStatus("standard_conforming_strings") == "on" && x.pg.ParameterStatus("client_encoding") == "UTF8"
}

// committed is true if the COMMIT before the resets that end a message was
// completed: what fails behind it takes nothing back.
func (m *message) committed(completed int) bool {
	end := len(m.pieces) - len(resets)
	return end > 0 && completed >= end && m.pieces[end-1].tag.String() == "COMMIT"
}

// reset ends a message that commits.
func (m *message) reset() {
	for _, sql := range resets {
		m.own(sql)
	}
}

// run sends one message on a connection of its own.
func (s *Store) run(ctx context.Context, m *message) (int, error) {
	x, err := s.acquire(ctx)
	if err != nil {
		return 0, err
	}
	completed, err := x.send(ctx, m)
	x.release(ctx, err)
	return completed, err
}

// begin opens a transaction in a message, whatever the login's defaults are.
func (s *Store) begin(m *message) {
	m.own("BEGIN ISOLATION LEVEL READ COMMITTED")
	if s.role != "" {
		m.own("SET LOCAL ROLE " + ident(s.role))
	}
}

// beginLook opens a transaction that only reads, and never waits to do so: with
// the login's defaults it might.
func (s *Store) beginLook(m *message) {
	m.own("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
	if s.role != "" {
		m.own("SET LOCAL ROLE " + ident(s.role))
	}
}

var _ store.Store = (*Store)(nil)
