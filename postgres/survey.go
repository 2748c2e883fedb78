package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

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
	version, readable := 0, false
	var m message
	s.beginLook(&m)
	m.ask(s.traitsSQL(), s.readTraits(&survey, &version, &readable))
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
	if s.standby.Load() {
		survey.Missing = append([]string{onStandby}, survey.Missing...)
	}
	// Books that may not be read are among what is missing.
	if survey.Stamped && readable {
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
	return `SELECT current_setting('server_version'), current_setting('server_version_num'),
		b.oid IS NOT NULL,
		pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
		n.oid IS NOT NULL,
		CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE') ELSE has_schema_privilege(n.oid, 'CREATE') END,
		n.oid IS NULL OR has_schema_privilege(n.oid, 'USAGE'),
		coalesce((SELECT has_language_privilege(l.oid, 'USAGE') FROM pg_language l WHERE l.lanname = 'plpgsql'), false),
		current_database(),
		array_to_string(ARRAY(SELECT r FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r WHERE NOT has_table_privilege(b.oid, r)), ', ')
	FROM (VALUES (1)) one LEFT JOIN pg_namespace n ON n.nspname = ` + quote(s.schema) + `
		LEFT JOIN pg_class b ON b.relnamespace = n.oid AND b.relname = 'stopover_note'`
}

func (s *Store) readTraits(survey *store.Survey, version *int, readable *bool) func(*pgconn.ResultReader) error {
	return func(r *pgconn.ResultReader) (err error) {
		for r.NextRow() {
			row := r.Values()
			survey.Server = "PostgreSQL " + string(row[0])
			if *version, err = strconv.Atoi(string(row[1])); err != nil {
				return fmt.Errorf("read the server's version %q: %w", row[1], err)
			}
			survey.Stamped, survey.ReadOnly = isTrue(row[2]), isTrue(row[3])
			survey.Missing = s.missingRights(row)
			*readable = !strings.Contains(string(row[9]), "SELECT")
		}
		return nil
	}
}

func isTrue(value []byte) bool { return string(value) == "t" }

// missingRights names the rights that a row of traitsSQL says are not there.
func (s *Store) missingRights(row [][]byte) []string {
	var missing []string
	switch {
	case !isTrue(row[5]) && isTrue(row[4]):
		missing = append(missing, "CREATE on schema "+s.schema)
	case !isTrue(row[5]):
		missing = append(missing, "CREATE on database "+string(row[8])+" (schema "+s.schema+" does not exist)")
	}
	if !isTrue(row[6]) {
		missing = append(missing, "USAGE on schema "+s.schema)
	}
	if !isTrue(row[7]) {
		missing = append(missing, "USAGE on language plpgsql")
	}
	if rights := string(row[9]); rights != "" {
		missing = append(missing, rights+" on table "+s.schema+".stopover_note")
	}
	return missing
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
