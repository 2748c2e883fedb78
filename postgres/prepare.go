package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// ladder has one file for each format of the books: what leads there from the
// format before. Files are never changed once released.
//
//go:embed books/*.sql
var ladder embed.FS

// Prepare creates the books, or upgrades them, in one transaction. Dying in it
// leaves what was before.
func (s *Store) Prepare(ctx context.Context) error {
	found, err := s.format(ctx)
	if err != nil || found == store.Format {
		return err
	}
	x, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	err = s.climb(ctx, x)
	x.release(ctx, err)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", s.place, s.namedRight(ctx, err))
	}
	return nil
}

// format gives the format of the books, 0 if there are none.
func (s *Store) format(ctx context.Context) (int, error) {
	found := 0
	var m message
	if s.role != "" {
		s.begin(&m)
	}
	m.ask(s.formatSQL(), readFormat(&found))
	if s.role != "" {
		m.own("COMMIT")
	}
	completed, err := s.run(ctx, &m)
	if isAbsent(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the format of the books of %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	if found > store.Format {
		return 0, &store.NewerError{Found: found, Known: store.Format}
	}
	return found, nil
}

func readFormat(into *int) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			if *into, err = strconv.Atoi(string(r.Values()[0])); err != nil {
				return fmt.Errorf("the format of the books is %q, no number", r.Values()[0])
			}
		}
		return nil
	}
}

// climb takes the lock of all who prepare this schema, looks again, and goes
// up the ladder from what it found.
func (s *Store) climb(ctx context.Context, x *session) error {
	table, schema := false, false
	exists := func(into *bool) func(*pgconn.ResultReader) error {
		return func(r *pgconn.ResultReader) error {
			*into = r.NextRow()
			return nil
		}
	}
	var m message
	s.begin(&m)
	m.own("SET LOCAL lock_timeout = '60s'")
	m.own(fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", s.lockNumber()))
	m.ask("SELECT 1 FROM pg_namespace WHERE nspname = "+quote(s.schema), exists(&schema))
	m.ask("SELECT 1 FROM pg_class WHERE oid = to_regclass("+quote(s.books("note"))+")", exists(&table))
	if completed, err := x.send(ctx, &m); err != nil {
		return s.fault(ctx, &m, completed, err, time.Minute)
	}
	found := 0
	if table {
		var m message
		m.ask(s.formatSQL(), readFormat(&found))
		if completed, err := x.send(ctx, &m); err != nil {
			return s.fault(ctx, &m, completed, err, time.Minute)
		}
	}
	if found > store.Format {
		return &store.NewerError{Found: found, Known: store.Format}
	}
	return s.climbFrom(ctx, x, found, schema)
}

// climbFrom performs the files above found and notes the new format. Table,
// functions and note come into being together.
func (s *Store) climbFrom(ctx context.Context, x *session, found int, schema bool) error {
	var m message
	if !schema {
		m.own("CREATE SCHEMA IF NOT EXISTS " + ident(s.schema))
	}
	for format := found + 1; format <= store.Format; format++ {
		sql, err := ladder.ReadFile(fmt.Sprintf("books/%04d.sql", format))
		if err != nil {
			return fmt.Errorf("read format %d of the books: %w", format, err)
		}
		m.own(s.inSchema(string(sql)))
	}
	if found < store.Format {
		m.own(fmt.Sprintf("INSERT INTO %s AS n (key, value) VALUES (%s, '%d') ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
			s.books("note"), quote(formatKey), store.Format))
	}
	m.own("COMMIT")
	completed, err := x.send(ctx, &m)
	return s.fault(ctx, &m, completed, err, time.Minute)
}

// inSchema puts the schema's name into a file of the ladder.
func (s *Store) inSchema(sql string) string {
	name := ident(s.schema)
	return strings.NewReplacer("QUOTED", strings.ReplaceAll(name, "'", "''"), "SCHEMA", name).Replace(sql)
}

func (s *Store) formatSQL() string {
	return "SELECT value::text FROM " + s.books("note") + " WHERE key = " + quote(formatKey)
}

// namedRight puts the right that is missing into the error of a server that
// only names what it refused.
func (s *Store) namedRight(ctx context.Context, failed error) error {
	var rights *store.RightsError
	if !errors.As(failed, &rights) {
		return failed
	}
	if survey, err := s.Survey(ctx); err == nil && len(survey.Missing) > 0 {
		return &store.RightsError{Missing: strings.Join(survey.Missing, ", "), Err: rights.Err}
	}
	return failed
}

// lockNumber is the advisory lock's: stable, and its own for each schema.
func (s *Store) lockNumber() int64 {
	sum := fnv.New64a()
	sum.Write([]byte("stopover books of " + s.schema))
	return int64(sum.Sum64() >> 1)
}
