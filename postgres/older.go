package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// shortWait is how long an attempt waits for a lock: everybody who comes behind
// it in the queue waits as long.
const shortWait = 50 * time.Millisecond

// ShortWait is how long a first attempt may wait for a lock.
func (s *Store) ShortWait() time.Duration { return shortWait }

var _ store.Queuer = (*Store)(nil)

// Older gives the open transactions of this database that had written something
// before a moment, which is named by the number of a transaction that began
// then. One that has not written yet has no number: what it writes comes after
// the moment.
func (s *Store) Older(ctx context.Context, moment string) (string, []store.Session, error) {
	if moment == "" {
		// Not the end of a snapshot: that is behind the last transaction that has
		// ended, and those which are open may have higher numbers.
		var m message
		m.ask("SELECT txid_current()", func(r *pgconn.ResultReader) error {
			for r.NextRow() {
				moment = string(r.Values()[0])
			}
			return nil
		})
		if completed, err := s.run(ctx, &m); err != nil {
			return "", nil, fmt.Errorf("name the moment in %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
		}
	}
	number, err := strconv.ParseInt(moment, 10, 64)
	if err != nil {
		return "", nil, fmt.Errorf("read the moment %q: %w", moment, err)
	}
	var sessions []store.Session
	var m message
	m.ask(s.olderSQL(number), s.readSessions(&sessions))
	completed, err := s.run(ctx, &m)
	if err != nil {
		return "", nil, fmt.Errorf("look for older transactions in %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	return moment, sessions, nil
}

// olderSQL lists who writes in a transaction with a lower number. What belongs
// to another database is left out; a number that nobody is seen to hold counts,
// since it may have been given up, or prepared, only just now.
func (s *Store) olderSQL(before int64) string {
	return `WITH open AS (
			SELECT number, (number & 4294967295)::text AS short FROM txid_snapshot_xip(txid_current_snapshot()) number WHERE number < ` + strconv.FormatInt(before, 10) + `),
		prepared AS (SELECT p.transaction::text AS short, p.* FROM pg_prepared_xacts p)
	SELECT ` + sessionColumns + ` FROM pg_stat_activity a JOIN open ON open.short = a.backend_xid::text WHERE a.datname = current_database()
	UNION ALL
	SELECT 0, 'prepared transaction ' || p.gid, p.owner::text, '', '', ` + micros("p.prepared") + `, ` + micros("p.prepared") + `, ` + openFor("p.prepared") + `, false
		FROM prepared p JOIN open ON open.short = p.short WHERE p.database = current_database()
	UNION ALL
	SELECT 0, 'transaction ' || open.number, '', '', '', NULL, NULL, NULL, false FROM open
		WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.backend_xid::text = open.short)
			AND NOT EXISTS (SELECT 1 FROM prepared p WHERE p.short = open.short)`
}

var _ store.Outlaster = (*Store)(nil)
