package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// Ban keeps logins out: they may not log in any more, and their sessions are ended.
// It returns when none of them has a session. A login is known to all databases of
// a server, so it is kept out of all of them.
func (s *Store) Ban(ctx context.Context, logins []string) error {
	own, err := s.texts(ctx, "SELECT unnest(ARRAY[current_user, session_user]::text[]) INTERSECT SELECT unnest("+textArray(logins)+")")
	if err != nil {
		return err
	}
	if len(own) > 0 {
		return fmt.Errorf("the store itself connects as %q: give it, or the old release, a login of its own", own[0])
	}
	open, err := s.texts(ctx, "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY("+textArray(logins)+") ORDER BY 1")
	if err != nil {
		return err
	}
	var statements []string
	for _, login := range open {
		statements = append(statements, "ALTER ROLE "+ident(login)+" NOLOGIN")
	}
	if err := s.statements(ctx, statements...); err != nil {
		return s.byHand(err, statements)
	}
	for {
		left, err := s.texts(ctx, "SELECT pid::text || CASE WHEN pg_terminate_backend(pid) THEN '' ELSE ' gone' END FROM pg_stat_activity WHERE usename = ANY("+textArray(logins)+")")
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sessions of %s do not end: %w", strings.Join(logins, ", "), ctx.Err())
		case <-time.After(fencePause):
		}
	}
}

// byHand names the statements that somebody with more rights has to perform.
func (s *Store) byHand(err error, statements []string) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "42501" {
		return err
	}
	return &store.RightsError{Missing: "ADMIN on the logins; or let somebody who has it type: " + strings.Join(statements, "; "), Err: errors.New(refused.Message)}
}

var _ store.Banner = (*Store)(nil)
