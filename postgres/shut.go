package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// fenceTrigger is the name of the triggers and of their function. Triggers fire
// in the order of their names: this one before those of the application.
const fenceTrigger = "aaa_stopover_fence"

// fenceLock is the longest wait for a table, so that nobody queues behind it for
// long; fencePause is the pause between two attempts.
const (
	fenceLock  = 50 * time.Millisecond
	fencePause = 100 * time.Millisecond
)

// undo is what Lift needs: the grants that were taken away.
type undo struct {
	Tables []string `json:"tables"` // that were fenced, as SQL
	Grants []string `json:"grants"` // statements
}

// writes are the privileges of those who write.
const writes = "'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'"

// Fence shuts writers out of all tables of the schema. Names are refused by a
// trigger for each statement, logins lose their grants. Both are done table by
// table, under a lock that no transaction can have which has written to it: so
// when the last table is done, no write of theirs is under way.
func (s *Store) Fence(ctx context.Context, fence store.Fence, keep func([]byte) error) error {
	logins, err := s.texts(ctx, "SELECT rolname FROM pg_roles WHERE rolname = ANY("+textArray(fence.Logins)+") ORDER BY 1")
	if err != nil {
		return err
	}
	var u undo
	if u.Tables, err = s.texts(ctx, s.tablesSQL()); err != nil {
		return err
	}
	if len(logins) > 0 {
		if u.Grants, err = s.texts(ctx, s.grantsSQL(logins)); err != nil {
			return err
		}
	}
	encoded, err := json.Marshal(u)
	if err != nil {
		return err
	}
	if err := keep(encoded); err != nil {
		return err
	}
	// If the process dies from here on, the kept note lets the fence be lifted.
	if len(fence.Names) > 0 {
		if err := s.statements(ctx, s.fenceFunction(fence.Because)); err != nil {
			return err
		}
	}
	for _, table := range u.Tables {
		if err := s.fenceTable(ctx, table, fence.Names, logins); err != nil {
			return err
		}
	}
	return s.proveFence(ctx, logins)
}

// fenceTable shuts writers out of one table, in short attempts.
func (s *Store) fenceTable(ctx context.Context, table string, names, logins []string) error {
	statements := []string{"LOCK TABLE " + table + " IN SHARE ROW EXCLUSIVE MODE"}
	if len(names) > 0 {
		statements = append(statements, "DROP TRIGGER IF EXISTS "+fenceTrigger+" ON "+table,
			"CREATE TRIGGER "+fenceTrigger+" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "+table+" FOR EACH STATEMENT"+
				" WHEN (current_setting('application_name') ~ "+quote(namesPattern(names))+") EXECUTE FUNCTION "+ident(s.schema)+"."+fenceTrigger+"()")
	}
	for _, login := range logins {
		statements = append(statements, "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON "+table+" FROM "+ident(login))
	}
	if err := s.inAttempts(ctx, statements...); err == nil || !isBusy(err) {
		return err
	}
	return s.held(context.WithoutCancel(ctx), table)
}

// inAttempts performs statements in one transaction that waits for a lock for a
// moment only, again and again until the context ends: the error is the last
// one's then.
func (s *Store) inAttempts(ctx context.Context, statements ...string) error {
	short := append([]string{fmt.Sprintf("SET LOCAL lock_timeout = %d", fenceLock.Milliseconds())}, statements...)
	for {
		err := s.statements(ctx, short...)
		if err == nil || !isBusy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(fencePause):
		}
	}
}

// isBusy tells whether a lock could not be had.
func isBusy(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "55P03" || refused.Code == "40P01")
}

// held names who has written to a table and has not ended.
func (s *Store) held(ctx context.Context, table string) error {
	var holders []store.Session
	var m message
	m.ask("SELECT "+sessionColumns+` FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
		WHERE l.relation = `+quote(table)+`::regclass AND l.granted AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
			'ExclusiveLock', 'AccessExclusiveLock') AND a.pid <> pg_backend_pid() ORDER BY a.xact_start`, s.readSessions(&holders))
	if completed, err := s.run(ctx, &m); err != nil {
		return s.fault(ctx, &m, completed, err, 0)
	}
	var lines []string
	for _, h := range holders {
		lines = append(lines, h.String())
	}
	return fmt.Errorf("%s could not be fenced in time: writes to it are under way: %s", table, strings.Join(lines, "; "))
}

// proveFence looks whether a login can still write in another way: as a member
// of a role, or because everybody may.
func (s *Store) proveFence(ctx context.Context, logins []string) error {
	if len(logins) == 0 {
		return nil
	}
	open, err := s.texts(ctx, `SELECT format('%s may still write to %s', r.rolname, t.oid::regclass) FROM pg_roles r, (`+s.relationsSQL("c.oid")+`) t(oid)
		WHERE r.rolname = ANY(`+textArray(logins)+`) AND NOT r.rolsuper AND has_table_privilege(r.oid, t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') LIMIT 1`)
	if err != nil || len(open) == 0 {
		return err
	}
	return fmt.Errorf("the fence has a hole: %s, as a member of another role or because everybody may: grant what releases need to their own logins only", open[0])
}

// Lift takes a fence back.
func (s *Store) Lift(ctx context.Context, kept []byte) error {
	var u undo
	if err := json.Unmarshal(kept, &u); err != nil {
		return fmt.Errorf("read what the fence has changed: %w", err)
	}
	if err := s.statements(ctx, u.Grants...); err != nil {
		return err
	}
	for _, table := range u.Tables {
		err := s.inAttempts(ctx, "DROP TRIGGER IF EXISTS "+fenceTrigger+" ON "+table)
		var refused *pgconn.PgError
		switch {
		case errors.As(err, &refused) && refused.Code == "42P01": // the table has gone, and with it its trigger
		case err != nil && isBusy(err):
			return fmt.Errorf("%s is locked by others: %w", table, err)
		case err != nil:
			return err
		}
	}
	return s.statements(ctx, "DROP FUNCTION IF EXISTS "+ident(s.schema)+"."+fenceTrigger+"()")
}

// fenceFunction refuses whoever fires it.
func (s *Store) fenceFunction(because string) string {
	return "CREATE OR REPLACE FUNCTION " + ident(s.schema) + "." + fenceTrigger + "() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $stopover$\n" +
		"BEGIN\n\tRAISE EXCEPTION '%', " + quote(because) + " USING ERRCODE = 'insufficient_privilege',\n" +
		"\t\tDETAIL = 'This session is called ' || current_setting('application_name') || '.';\nEND $stopover$"
}

// namesPattern is a regular expression for sessions' names.
func namesPattern(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, regexp.QuoteMeta(name))
	}
	return "^(" + strings.Join(all, "|") + ")([^0-9A-Za-z]|$)"
}

// relationsSQL lists the application's tables.
func (s *Store) relationsSQL(column string) string {
	return "SELECT " + column + " FROM pg_class c WHERE c.relnamespace = " + quote(ident(s.schema)) + "::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE 'stopover\\_%'"
}

func (s *Store) tablesSQL() string {
	return s.relationsSQL("format('%I.%I', "+quote(s.schema)+", c.relname)") + " ORDER BY c.relname"
}

// grantsSQL makes the statements that give logins back what they have now.
func (s *Store) grantsSQL(logins []string) string {
	return `SELECT format('GRANT %s ON %I.%I TO %I%s', a.privilege_type, ` + quote(s.schema) + `, c.relname, r.rolname, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
		FROM (` + s.relationsSQL("c.oid, c.relname, c.relacl") + `) c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
		WHERE r.rolname = ANY(` + textArray(logins) + `) AND a.privilege_type IN (` + writes + `) ORDER BY 1`
}

func textArray(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = quote(value)
	}
	return "ARRAY[" + strings.Join(quoted, ", ") + "]::text[]"
}

// texts asks a query of one column.
func (s *Store) texts(ctx context.Context, sql string) ([]string, error) {
	var list []string
	var m message
	s.beginLook(&m)
	m.ask(sql, func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			list = append(list, string(r.Values()[0]))
		}
		return nil
	})
	m.own("COMMIT")
	if completed, err := s.run(ctx, &m); err != nil {
		return nil, fmt.Errorf("look at the fence of %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	return list, nil
}

// statements performs statements of ours in one transaction. The error is the
// server's.
func (s *Store) statements(ctx context.Context, statements ...string) error {
	if len(statements) == 0 {
		return nil
	}
	var m message
	s.begin(&m)
	for _, sql := range statements {
		m.own(sql)
	}
	m.own("COMMIT")
	_, err := s.run(ctx, &m)
	return err
}

var _ store.Fencer = (*Store)(nil)
