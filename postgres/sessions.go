package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// endWait is how long End waits until a session is gone.
const endWait = 5 * time.Second

// sessionColumns are what readSession reads.
var sessionColumns = "a.pid, coalesce(a.application_name, ''), coalesce(a.usename, ''), coalesce(host(a.client_addr), ''), " +
	"left(coalesce(a.query, ''), 200), " + micros("a.backend_start") + ", " + micros("a.xact_start") + ", " + openFor("a.xact_start") + ", a.pid = pg_backend_pid()"

// openFor gives the microseconds since a time.
func openFor(since string) string { return "greatest(0, " + micros("now() - "+since) + ")" }

// Sessions lists the clients of this database. What they run is shown only as
// far as the server shows it to this login.
func (s *Store) Sessions(ctx context.Context) ([]store.Session, error) {
	var sessions []store.Session
	var m message
	m.ask("SELECT "+sessionColumns+` FROM pg_stat_activity a
		WHERE a.datname = current_database() AND a.backend_type = 'client backend' ORDER BY a.backend_start, a.pid`, s.readSessions(&sessions))
	completed, err := s.run(ctx, &m)
	if err != nil {
		return nil, fmt.Errorf("list the sessions of %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	return sessions, nil
}

func (s *Store) readSessions(into *[]store.Session) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			row := r.Values()
			session := store.Session{
				ID: string(row[0]), Name: string(row[1]), User: string(row[2]), Client: string(row[3]), Query: string(row[4]),
			}
			for i, at := range map[int]*time.Time{5: &session.Since, 6: &session.Busy} {
				if row[i] == nil {
					continue
				}
				parsed, err := parseMicros(row[i])
				if err != nil {
					return err
				}
				*at = parsed
			}
			if row[7] != nil {
				micros, err := strconv.ParseInt(string(row[7]), 10, 64)
				if err != nil {
					return fmt.Errorf("read how long a transaction is open: %w", err)
				}
				session.Open = time.Duration(micros) * time.Microsecond
			}
			session.Own = isTrue(row[8]) || s.ownPid(session.ID)
			*into = append(*into, session)
		}
		return nil
	}
}

func (s *Store) ownPid(id string) bool {
	pid, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		return false
	}
	_, own := s.pids.Load(uint32(pid))
	return own
}

// End ends a session and waits until it is gone. A pid is used again some day:
// the time at which the session began must fit too.
func (s *Store) End(ctx context.Context, session store.Session) error {
	pid, err := strconv.ParseInt(session.ID, 10, 32)
	if err != nil {
		return fmt.Errorf("end session %q: it is no pid", session.ID)
	}
	same := fmt.Sprintf("a.pid = %d AND a.datname = current_database()", pid)
	if !session.Since.IsZero() {
		same += fmt.Sprintf(" AND %s = %d", micros("a.backend_start"), session.Since.UnixMicro())
	}
	var m message
	m.own("SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE " + same)
	if completed, err := s.run(ctx, &m); err != nil {
		return fmt.Errorf("end session %s of %s: %w", session.ID, s.place, s.fault(ctx, &m, completed, err, 0))
	}
	return s.awaitGone(ctx, session, same)
}

func (s *Store) awaitGone(ctx context.Context, session store.Session, same string) error {
	limited, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	for {
		there := false
		var m message
		m.ask("SELECT 1 FROM pg_stat_activity a WHERE "+same, func(r *pgconn.ResultReader) error {
			there = r.NextRow()
			return nil
		})
		completed, err := s.run(limited, &m)
		if err == nil && !there {
			return nil
		}
		if err != nil && limited.Err() == nil {
			return fmt.Errorf("look for session %s of %s: %w", session.ID, s.place, s.fault(limited, &m, completed, err, 0))
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("session %s of %s was told to end and is still there after %s", session.ID, s.place, endWait)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// contendedFor is how long stretches are watched after one did not get a lock.
const contendedFor = 10 * time.Second

// watchBlockers looks, while a task runs, for the sessions that hold a lock it
// waits for: once it has given up, the server no longer knows. It asks by the
// session's name, which is right also behind a pooler. The function returned
// ends the watch and gives those that were seen last.
//
// Stretches come one after the other and take about as long as they may wait:
// they are watched only while one has lately not got its locks.
func (s *Store) watchBlockers(ctx context.Context, task store.Task) func() []store.Session {
	if task.Action.Shape() == store.Stretched && time.Since(time.UnixMilli(s.contended.Load())) > contendedFor {
		return func() []store.Session { return nil }
	}
	every := max(waitOf(task)/3, 10*time.Millisecond)
	var seen []store.Session
	ended, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(closed)
		timer := time.NewTimer(every)
		defer timer.Stop()
		for looks := 1; ; looks++ {
			select {
			case <-ended:
				return
			case <-timer.C:
			}
			if found := s.blockers(ctx, sessionName(task)); len(found) > 0 {
				seen = found
			}
			// The longer it works, the less often it is asked.
			timer.Reset(every * time.Duration(1+looks/20))
		}
	}()
	return func() []store.Session {
		close(ended)
		<-closed
		return seen
	}
}

// blockers gives the sessions that a session of this name waits for, as far as
// can be told: the work itself goes on without an answer.
func (s *Store) blockers(ctx context.Context, name string) []store.Session {
	// No connection is free: waiting for one would hold up the work's own.
	if stat := s.pool.Stat(); stat.AcquiredConns() >= stat.MaxConns() {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var found []store.Session
	var m message
	m.ask("SELECT DISTINCT "+sessionColumns+` FROM pg_stat_activity waiting, unnest(pg_blocking_pids(waiting.pid)) blocking
		JOIN pg_stat_activity a ON a.pid = blocking
		WHERE waiting.datname = current_database() AND waiting.wait_event_type = 'Lock' AND waiting.application_name = left(`+quote(name)+`, 63)
			AND a.application_name IS DISTINCT FROM waiting.application_name`,
		s.readSessions(&found))
	if _, err := s.run(limited, &m); err != nil {
		return nil
	}
	return found
}

var _ store.Lister = (*Store)(nil)
