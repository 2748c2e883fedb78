package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/internal/sqlaction"
	"github.com/stopover-dev/stopover/store"
)

// queuedLong is how long a session must have waited for one of our locks to
// count: a stretch holds its rows for about half of it.
const queuedLong = 100 * time.Millisecond

// sign is one question about the load. A server that refuses it is not asked
// again.
type sign struct {
	name string
	sql  string
	read func(row [][]byte) store.Signal
}

// Signals asks what speaks for giving way: sessions that wait for our locks,
// replicas and an archiver that do not keep up, a vacuum of the table, and the
// application's own probe. What this login may not see gives no signal.
func (s *Store) Signals(ctx context.Context, action store.Action, session string) ([]store.Signal, error) {
	var found []store.Signal
	for _, sign := range s.signs(action, session) {
		if _, refused := s.refused.Load(sign.name); refused {
			continue
		}
		signals, err := s.readSign(ctx, sign)
		var no *pgconn.PgError
		if errors.As(err, &no) && ctx.Err() == nil {
			s.refused.Store(sign.name, true)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ask for the load of %s: %w", s.place, s.fault(ctx, &message{}, 0, err, 0))
		}
		found = append(found, signals...)
	}
	if signal, speaks := s.probed(ctx); speaks {
		found = append(found, signal)
	}
	return found, nil
}

func (s *Store) readSign(ctx context.Context, sign sign) ([]store.Signal, error) {
	var found []store.Signal
	var m message
	s.beginLook(&m)
	m.own(s.settingsSQL(store.Task{Timeout: signTimeout}))
	m.ask(sign.sql, func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			found = append(found, sign.read(r.Values()))
		}
		return nil
	})
	m.own("COMMIT")
	_, err := s.run(ctx, &m)
	return found, err
}

// signTimeout is the longest time of one question about the load.
const signTimeout = 2 * time.Second

func (s *Store) signs(action store.Action, session string) []sign {
	signs := []sign{{"queue", s.queueSQL(session), readQueue}}
	if l := s.limits; l.replicaLag > 0 || l.replicaBacklog > 0 {
		signs = append(signs, sign{"replicas", replicaSQL(l), readReplica})
	}
	if s.limits.archiveBacklog > 0 {
		signs = append(signs, sign{"archiver", archiverSQL(s.limits), readArchiver})
	}
	if sql, ok := action.(*sqlaction.Action); ok && sql.Range != nil && s.limits.vacuumAbove > 0 {
		signs = append(signs, sign{"vacuum", vacuumSQL(sql.Range.Table, s.limits), readVacuum})
	}
	return signs
}

// queueSQL counts the sessions that have waited for a session of this name.
// Since when a lock is waited for is told by servers from 14 on; before that,
// when the waiting query began has to do.
func (s *Store) queueSQL(session string) string {
	since := "l.waitstart"
	if s.serverVersion.Load() < 14 {
		since = "w.query_start"
	}
	return fmt.Sprintf(`SELECT count(*), min(w.pid), (max(extract(epoch FROM clock_timestamp() - %[1]s)) * 1000)::bigint
		FROM pg_locks l JOIN pg_stat_activity w ON w.pid = l.pid
		WHERE NOT l.granted AND w.datname = current_database() AND %[1]s < clock_timestamp() - interval '%[2]d ms'
			AND coalesce(w.application_name, '') <> left(%[3]s, 63)
			AND EXISTS (SELECT 1 FROM unnest(pg_blocking_pids(l.pid)) holder
				JOIN pg_stat_activity o ON o.pid = holder WHERE o.application_name = left(%[3]s, 63))
		HAVING count(*) > 0`, since, queuedLong.Milliseconds(), quote(session))
}

func readQueue(row [][]byte) store.Signal {
	if string(row[0]) == "1" {
		return store.Signal{Because: fmt.Sprintf("session %s has waited %s ms for locks of this work", row[1], row[2])}
	}
	return store.Signal{Because: fmt.Sprintf("%s sessions wait for locks of this work, up to %s ms (session %s)", row[0], row[2], row[1])}
}

func replicaSQL(l limits) string {
	lag, backlog := "false", "false"
	if l.replicaLag > 0 {
		lag = fmt.Sprintf("r.replay_lag > interval '%d ms'", l.replicaLag.Milliseconds())
	}
	if l.replicaBacklog > 0 {
		backlog = fmt.Sprintf("pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn) > %d", l.replicaBacklog)
	}
	return `SELECT coalesce(nullif(r.application_name, ''), host(r.client_addr), 'of pid ' || r.pid),
			coalesce(extract(epoch FROM r.replay_lag), 0)::bigint, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn), 0)::bigint
		FROM pg_stat_replication r WHERE ` + lag + ` OR ` + backlog
}

func readReplica(row [][]byte) store.Signal {
	return store.Signal{Because: fmt.Sprintf("replica %s is %s s and %s behind", row[0], row[1], shownSize(row[2]))}
}

// archiverSQL reckons how much of the log waits to be archived from the names
// of its segments, which every login may know.
func archiverSQL(l limits) string {
	number := func(name string) string {
		return "(('x' || substr(" + name + ", 9, 8))::bit(32)::bigint * (4294967296 / size) + ('x' || substr(" + name + ", 17, 8))::bit(32)::bigint)"
	}
	return fmt.Sprintf(`SELECT backlog, coalesce(failed, '') FROM (
			SELECT (%s - %s) * size AS backlog, failed FROM (
				SELECT s.setting::bigint AS size, pg_walfile_name(pg_current_wal_lsn()) AS now,
					coalesce(substr(a.last_archived_wal, 1, 24), substr(a.last_failed_wal, 1, 24)) AS last,
					CASE WHEN a.last_failed_time > coalesce(a.last_archived_time, '-infinity') THEN substr(a.last_failed_wal, 1, 24) END AS failed
				FROM pg_stat_archiver a, pg_settings s
				WHERE s.name = 'wal_segment_size' AND current_setting('archive_mode') <> 'off') named
			WHERE last ~ '^[0-9A-F]{24}$') reckoned WHERE backlog > %d`, number("now"), number("last"), l.archiveBacklog)
}

func readArchiver(row [][]byte) store.Signal {
	text := shownSize(row[0]) + " of the log wait to be archived"
	if len(row[1]) > 0 {
		text += " (archiving " + string(row[1]) + " failed)"
	}
	return store.Signal{Because: text}
}

// vacuumSQL finds a vacuum of the table or of one of its partitions. Of small
// tables none is looked for: it is over soon.
func vacuumSQL(table string, l limits) string {
	return familySQL(table) + fmt.Sprintf(`SELECT v.relid::regclass::text, coalesce(100 * v.heap_blks_scanned / nullif(v.heap_blks_total, 0), 0)
		FROM pg_stat_progress_vacuum v JOIN family f ON f.oid = v.relid
		WHERE v.datname = current_database() AND pg_table_size(v.relid) >= %d`, l.vacuumAbove)
}

func readVacuum(row [][]byte) store.Signal {
	return store.Signal{Because: fmt.Sprintf("%s is being vacuumed (%s %% scanned)", row[0], row[1])}
}

// shownSize writes a number of bytes for people.
func shownSize(text []byte) string {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return string(text) + " bytes"
	}
	return sizeText(n)
}

var _ store.Watcher = (*Store)(nil)
