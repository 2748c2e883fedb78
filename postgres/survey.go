package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stopover-dev/stopover/store"
)

// oldest is the oldest server version that is supported, as the server numbers
// it.
const oldest = 120000

// Place names server, database and schema, without asking the server.
func (s *Store) Place() string { return s.place }

// Survey looks the store over.
func (s *Store) Survey(ctx context.Context) (store.Survey, error) {
	survey := store.Survey{Place: s.place, Empty: true}
	version := 0
	var m message
	m.own("BEGIN READ ONLY")
	if s.role != "" {
		m.own("SET LOCAL ROLE " + ident(s.role))
	}
	m.ask(s.traitsSQL(), s.readTraits(&survey, &version))
	m.ask(s.evidenceSQL(), func(r *pgconn.ResultReader) error {
		for r.NextRow() {
			survey.Empty = false
			survey.Evidence = append(survey.Evidence, string(r.Values()[0]))
		}
		return nil
	})
	m.own("COMMIT")
	completed, err := s.run(ctx, &m)
	if err != nil {
		return store.Survey{}, fmt.Errorf("survey %s: %w", s.place, s.fault(ctx, &m, completed, err, 0))
	}
	if version < oldest {
		return store.Survey{}, fmt.Errorf("survey %s: %s is older than PostgreSQL %d, the oldest that is supported", s.place, survey.Server, oldest/10000)
	}
	if survey.Stamped {
		if _, err := s.format(ctx); err != nil {
			return store.Survey{}, err
		}
	}
	return survey, nil
}

// traitsSQL asks in one row: the version in words and as a number, whether the
// books exist, whether writes are refused, and for each right whether the login
// has it.
func (s *Store) traitsSQL() string {
	schema := quote(s.schema)
	return `SELECT current_setting('server_version'), current_setting('server_version_num'),
		to_regclass(` + quote(s.books("note")) + `) IS NOT NULL,
		pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
		n.oid IS NOT NULL,
		CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE') ELSE has_schema_privilege(n.oid, 'CREATE') END,
		n.oid IS NULL OR has_schema_privilege(n.oid, 'USAGE'),
		coalesce((SELECT has_language_privilege(l.oid, 'USAGE') FROM pg_language l WHERE l.lanname = 'plpgsql'), false),
		current_database()
	FROM (VALUES (1)) one LEFT JOIN pg_namespace n ON n.nspname = ` + schema
}

func (s *Store) readTraits(survey *store.Survey, version *int) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			row := r.Values()
			yes := func(i int) bool { return string(row[i]) == "t" }
			survey.Server = "PostgreSQL " + string(row[0])
			if *version, err = strconv.Atoi(string(row[1])); err != nil {
				return fmt.Errorf("read the server's version %q: %w", row[1], err)
			}
			survey.Stamped, survey.ReadOnly = yes(2), yes(3)
			switch {
			case !yes(5) && yes(4):
				survey.Missing = append(survey.Missing, "CREATE on schema "+s.schema)
			case !yes(5):
				survey.Missing = append(survey.Missing, "CREATE on database "+string(row[8])+" (schema "+s.schema+" does not exist)")
			}
			if !yes(6) {
				survey.Missing = append(survey.Missing, "USAGE on schema "+s.schema)
			}
			if !yes(7) {
				survey.Missing = append(survey.Missing, "USAGE on language plpgsql")
			}
		}
		return nil
	}
}

// evidenceSQL lists what is in the schema but the books and what belongs to
// extensions: tables first, the largest first.
func (s *Store) evidenceSQL() string {
	return `SELECT line FROM (
		SELECT CASE c.relkind WHEN 'r' THEN 1 WHEN 'p' THEN 1 WHEN 'f' THEN 2 WHEN 'm' THEN 2 WHEN 'v' THEN 3 ELSE 4 END AS rank,
			c.reltuples AS size,
			CASE c.relkind WHEN 'r' THEN 'table ' WHEN 'p' THEN 'partitioned table ' WHEN 'f' THEN 'foreign table '
				WHEN 'm' THEN 'materialized view ' WHEN 'v' THEN 'view ' WHEN 'S' THEN 'sequence ' ELSE 'type ' END || c.relname ||
			CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN ' (about ' || trim(to_char(c.reltuples, '999,999,999,999,990')) || ' rows)' ELSE '' END AS line
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = ` + quote(s.schema) + ` AND c.relkind IN ('r','p','f','m','v','S','c')
			AND c.relname NOT IN ('stopover_note','stopover_rev','stopover_ledger')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
			AND NOT (c.relkind = 'r' AND c.relispartition)
		UNION ALL
		SELECT 5, 0, 'function ' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = ` + quote(s.schema) + ` AND p.proname NOT IN ('stopover_enter','stopover_done')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
		UNION ALL
		SELECT 6, 0, 'enum ' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
		WHERE n.nspname = ` + quote(s.schema) + ` AND t.typtype IN ('e','d')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
	) found ORDER BY rank, size DESC, line LIMIT 20`
}
