WITH space AS (SELECT oid FROM pg_namespace WHERE nspname = SCHEMA),
extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
relation AS (
	SELECT c.relname AS name, c.relkind AS kind, c.oid, c.relpersistence, c.relispartition, c.relpartbound, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c JOIN space ON c.relnamespace = space.oid
	WHERE c.relname NOT IN ('stopover_note', 'stopover_rev', 'stopover_ledger')
		AND NOT EXISTS (SELECT 1 FROM extension e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid))
SELECT 'table ' || r.name
	|| CASE r.relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END
	|| CASE r.kind WHEN 'p' THEN ' partition by ' || pg_get_partkeydef(r.oid) WHEN 'f' THEN ' foreign' ELSE '' END
	|| CASE WHEN r.relispartition THEN ' partition of ' || (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = r.oid)
		|| ' ' || pg_get_expr(r.relpartbound, r.oid) ELSE '' END
	|| CASE WHEN r.relrowsecurity THEN ' row security' ELSE '' END
	|| CASE WHEN r.relforcerowsecurity THEN ' forced' ELSE '' END AS line
FROM relation r WHERE r.kind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column ' || r.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
	|| CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0 THEN ' collate ' || (SELECT quote_ident(o.collname) FROM pg_collation o WHERE o.oid = a.attcollation) ELSE '' END
	|| CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
	|| CASE a.attidentity WHEN 'a' THEN ' identity always' WHEN 'd' THEN ' identity by default' ELSE '' END
	|| CASE WHEN d.adbin IS NULL THEN '' WHEN a.attgenerated <> '' THEN ' generated ' || pg_get_expr(d.adbin, d.adrelid)
		ELSE ' default ' || pg_get_expr(d.adbin, d.adrelid) END
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.kind IN ('r', 'p', 'f', 'c')
UNION ALL
SELECT 'constraint ' || r.name || '.' || c.conname || ' ' || pg_get_constraintdef(c.oid)
FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n' AND c.contype <> 't'
UNION ALL
SELECT 'index ' || x.relname || ' ' || regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? ON ', 'on ')
	|| CASE WHEN i.indisunique THEN ' unique' ELSE '' END || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END
FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = r.oid AND c.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger ' || r.name || '.' || t.tgname || ' ' || pg_get_triggerdef(t.oid)
	|| CASE t.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || t.tgenabled::text END
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'rule ' || r.name || '.' || w.rulename || ' ' || regexp_replace(pg_get_ruledef(w.oid), '\s+', ' ', 'g')
FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT 'policy ' || r.name || '.' || p.polname || ' ' || p.polcmd::text || CASE WHEN p.polpermissive THEN '' ELSE ' restrictive' END
	|| coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '') || coalesce(' check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT CASE r.kind WHEN 'm' THEN 'materialized view ' ELSE 'view ' END || r.name || ' ' || regexp_replace(pg_get_viewdef(r.oid), '\s+', ' ', 'g')
FROM relation r WHERE r.kind IN ('v', 'm')
UNION ALL
SELECT 'sequence ' || r.name || ' ' || format_type(q.seqtypid, NULL) || ' start ' || q.seqstart || ' by ' || q.seqincrement
	|| ' from ' || q.seqmin || ' to ' || q.seqmax || CASE WHEN q.seqcycle THEN ' cycle' ELSE '' END
FROM relation r JOIN pg_sequence q ON q.seqrelid = r.oid
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'procedure ' WHEN 'a' THEN 'aggregate ' ELSE 'function ' END || p.proname
	|| '(' || pg_get_function_identity_arguments(p.oid) || ')' || coalesce(' returns ' || pg_get_function_result(p.oid), '')
	|| CASE p.prokind WHEN 'a' THEN '' ELSE ' body ' || md5(pg_get_functiondef(p.oid)) END
FROM pg_proc p JOIN space ON p.pronamespace = space.oid
WHERE p.proname NOT IN ('stopover_enter', 'stopover_done')
	AND NOT EXISTS (SELECT 1 FROM extension e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
UNION ALL
SELECT 'enum ' || t.typname || ' ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_type t JOIN space ON t.typnamespace = space.oid
WHERE t.typtype = 'e' AND NOT EXISTS (SELECT 1 FROM extension e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
UNION ALL
SELECT 'domain ' || t.typname || ' ' || format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END
	|| coalesce(' default ' || t.typdefault, '')
	|| coalesce((SELECT ' ' || string_agg(pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'), '')
FROM pg_type t JOIN space ON t.typnamespace = space.oid
WHERE t.typtype = 'd' AND NOT EXISTS (SELECT 1 FROM extension e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
