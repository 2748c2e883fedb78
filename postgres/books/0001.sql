-- Layout 1 of the books. SCHEMA stands for the schema's name as an identifier,
-- QUOTED for the same inside a string.
CREATE SEQUENCE SCHEMA.stopover_rev;

CREATE TABLE SCHEMA.stopover_note (
	key   text COLLATE "C" PRIMARY KEY,
	rev   bigint NOT NULL DEFAULT nextval('QUOTED.stopover_rev'),
	at    timestamptz NOT NULL DEFAULT clock_timestamp(),
	value json NOT NULL
) WITH (fillfactor = 50);

COMMENT ON TABLE SCHEMA.stopover_note IS 'The books of Stopover: what was done to this schema, and who may work on it. Read it freely; do not change it.';

-- enter opens a task's transaction: the guards must stand, the settings hold
-- until the transaction ends, and a mark tells done() whether it is still the
-- same transaction.
CREATE FUNCTION SCHEMA.stopover_enter(
	p_format int, p_keys text[], p_revs bigint[],
	p_session text, p_wait int, p_timeout int, p_idle int, p_check int
) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
	PERFORM 1 FROM SCHEMA.stopover_note n WHERE n.key = ' format' AND n.value::text = p_format::text;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the books have another format' USING ERRCODE = 'SO003',
			DETAIL = (SELECT n.value::text FROM SCHEMA.stopover_note n WHERE n.key = ' format');
	END IF;
	FOR i IN 1 .. cardinality(p_keys) LOOP
		PERFORM 1 FROM SCHEMA.stopover_note n WHERE n.key = p_keys[i] AND n.rev = p_revs[i];
		IF NOT FOUND AND (p_revs[i] > 0 OR EXISTS (SELECT 1 FROM SCHEMA.stopover_note n WHERE n.key = p_keys[i])) THEN
			RAISE EXCEPTION 'guard lost: note %', p_keys[i] USING ERRCODE = 'SO001', DETAIL = p_keys[i];
		END IF;
	END LOOP;
	PERFORM pg_catalog.set_config('lock_timeout', p_wait::text, true),
		pg_catalog.set_config('statement_timeout', p_timeout::text, true),
		pg_catalog.set_config('idle_in_transaction_session_timeout', p_idle::text, true),
		pg_catalog.set_config('application_name', p_session, true),
		pg_catalog.set_config('search_path', CASE pg_catalog.current_setting('search_path')
			WHEN '' THEN 'QUOTED' ELSE 'QUOTED, ' || pg_catalog.current_setting('search_path') END, true),
		pg_catalog.set_config('stopover.transaction', pg_catalog.txid_current()::text, true);
	IF p_check > 0 THEN -- servers older than 14 do not know it
		PERFORM pg_catalog.set_config('client_connection_check_interval', p_check::text, true);
	END IF;
END $body$;

-- done writes notes while the guards stand, in the order of keys so that no two
-- calls can wait for each other. p_ops has one letter a key:
--   g guard at this revision      G the same, on a note that is written too
--   n guard: must be absent       N write: must be absent, nothing to delete
--   i write: must be absent       u write at this revision       a write at any
--   d delete at this revision     x delete at any
-- It gives a line "key revision microseconds" for each note written; within a
-- task's transaction, where nobody reads them, none. It is no set of rows, which
-- would cost as much again as everything else in here.
CREATE FUNCTION SCHEMA.stopover_done(
	p_format int, p_within boolean, p_ops text, p_keys text[], p_revs bigint[], p_values text[]
) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
	op text;
	o_key text;
	o_rev bigint;
	o_at timestamptz;
	written text := '';
BEGIN
	IF p_within AND pg_catalog.current_setting('stopover.transaction', true) IS DISTINCT FROM pg_catalog.txid_current()::text THEN
		RAISE EXCEPTION 'the statements ended their transaction' USING ERRCODE = 'SO002';
	END IF;
	IF NOT p_within THEN -- enter() has asked it in this transaction
		PERFORM 1 FROM SCHEMA.stopover_note n WHERE n.key = ' format' AND n.value::text = p_format::text;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the books have another format' USING ERRCODE = 'SO003',
				DETAIL = (SELECT n.value::text FROM SCHEMA.stopover_note n WHERE n.key = ' format');
		END IF;
	END IF;
	FOR i IN 1 .. cardinality(p_keys) LOOP
		op := substr(p_ops, i, 1);
		o_key := p_keys[i];
		o_rev := 0;
		o_at := clock_timestamp();
		IF op = 'g' THEN
			-- FOR SHARE, not FOR KEY SHARE: only the former excludes an update of rev.
			PERFORM 1 FROM SCHEMA.stopover_note n WHERE n.key = o_key AND n.rev = p_revs[i] FOR SHARE;
		ELSIF op = 'G' THEN
			PERFORM 1 FROM SCHEMA.stopover_note n WHERE n.key = o_key AND n.rev = p_revs[i] FOR UPDATE;
		ELSIF op = 'i' THEN
			INSERT INTO SCHEMA.stopover_note AS n (key, value) VALUES (o_key, p_values[i]::json)
				ON CONFLICT DO NOTHING RETURNING n.rev, n.at INTO o_rev, o_at;
		ELSIF op = 'u' THEN
			UPDATE SCHEMA.stopover_note n SET rev = nextval('QUOTED.stopover_rev'), at = clock_timestamp(), value = p_values[i]::json
				WHERE n.key = o_key AND n.rev = p_revs[i] RETURNING n.rev, n.at INTO o_rev, o_at;
		ELSIF op = 'a' THEN
			INSERT INTO SCHEMA.stopover_note AS n (key, value) VALUES (o_key, p_values[i]::json)
				ON CONFLICT (key) DO UPDATE SET rev = nextval('QUOTED.stopover_rev'), at = clock_timestamp(), value = EXCLUDED.value
				RETURNING n.rev, n.at INTO o_rev, o_at;
		ELSIF op = 'd' THEN
			DELETE FROM SCHEMA.stopover_note n WHERE n.key = o_key AND n.rev = p_revs[i];
		ELSIF op = 'x' THEN
			DELETE FROM SCHEMA.stopover_note n WHERE n.key = o_key;
			CONTINUE;
		ELSE
			PERFORM 1 WHERE NOT EXISTS (SELECT 1 FROM SCHEMA.stopover_note n WHERE n.key = o_key);
		END IF;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'note % was changed', o_key USING DETAIL = o_key,
				ERRCODE = CASE WHEN op IN ('g', 'G', 'n') THEN 'SO001' ELSE 'SO004' END;
		END IF;
		IF NOT p_within AND op NOT IN ('g', 'G', 'n') THEN
			written := written || o_key || ' ' || o_rev || ' ' || (extract(epoch FROM o_at) * 1000000)::bigint || chr(10);
		END IF;
	END LOOP;
	RETURN written;
END $body$;

CREATE VIEW SCHEMA.stopover_ledger AS
	SELECT split_part(key, '/', 2) AS migration, split_part(key, '/', 3) AS step,
		CASE WHEN value->>'reversed' IS NOT NULL THEN 'reversed' WHEN value->>'done' IS NOT NULL THEN 'done' ELSE 'begun' END AS state,
		(value->>'begun')::timestamptz AS begun, (value->>'done')::timestamptz AS done,
		coalesce((value->>'rows')::bigint, 0) AS rows, value->>'operator' AS operator, value->>'host' AS host,
		value->>'release' AS release, at AS written, value AS line
	FROM SCHEMA.stopover_note WHERE key >= 'ledger/' AND key < 'ledger0' ORDER BY key;
