DO $stopover$
DECLARE -- the mirror of @table@: @old@ and @new@ are kept in step from here on
  target oid := to_regclass(@table:text@);
  home text := quote_ident(current_schema());
  path text := (SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name);
  relation text;
  kind text;
  fault text;
  o record;
  n record;
  side record;
  probe record;
BEGIN
  SELECT format('%I.%I', s.nspname, c.relname), c.relkind INTO relation, kind
    FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace WHERE c.oid = target;
  SELECT a.*, format_type(a.atttypid, a.atttypmod) AS type, t.typtype, t.typnotnull INTO o
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attname = @old:text@ AND a.attnum > 0 AND NOT a.attisdropped;
  SELECT a.*, format_type(a.atttypid, a.atttypmod) AS type, t.typtype, t.typnotnull INTO n
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = target AND a.attname = @new:text@ AND a.attnum > 0 AND NOT a.attisdropped;
  fault := CASE
    WHEN target IS NULL THEN 'it does not exist'
    WHEN kind NOT IN ('r', 'p') THEN 'it is no table'
    WHEN kind = 'p' AND current_setting('server_version_num')::int < 130000
      THEN 'partitioned tables have no such triggers before PostgreSQL 13'
    WHEN (SELECT relispartition FROM pg_class WHERE oid = target)
      THEN 'it is a partition: name the table that it is a part of'
    WHEN kind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = target)
      THEN 'tables inherit from it, and its triggers do not see their rows'
    WHEN o.attname IS NULL THEN 'it has no column ' || @old:text@
    WHEN n.attname IS NULL THEN 'it has no column ' || @new:text@
    WHEN o.attgenerated <> '' OR n.attgenerated <> ''
      THEN format('column %s is generated, so nobody can write it', CASE WHEN o.attgenerated <> '' THEN o.attname ELSE n.attname END)
    WHEN n.atthasdef OR n.attidentity <> ''
      THEN format('column %s has a default: in an INSERT of old code it could not be told from a value that new code gives; set the default in the contract', n.attname)
    WHEN o.typtype = 'd' AND o.typnotnull OR n.typtype = 'd' AND n.typnotnull
      THEN 'a column is of a domain that is NOT NULL: while a row is on its way one side is NULL'
    WHEN EXISTS (
      WITH RECURSIVE part (id) AS (SELECT target UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.id)
      SELECT FROM part JOIN pg_partitioned_table p ON p.partrelid = part.id
        JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[])
      WHERE a.attname IN (@old:text@, @new:text@))
      THEN 'a column is in its partition key: a trigger cannot move a row to another partition'
  END;
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = 'no mirror can be on ' || @shown@ || ': ' || fault;
  END IF;
  -- What the server accepts for a generated column gives the same for the same
  -- value in every session, and sees no other column. What is made for that is
  -- gone before anybody sees it.
  FOR side IN VALUES ('up', @up:text@, o.attname, n.attname, n.type, n.atttypid, n.atttypmod, n.attcollation),
      ('down', @down:text@, n.attname, o.attname, o.type, o.atttypid, o.atttypmod, o.attcollation) LOOP
    BEGIN
      EXECUTE format('CREATE TABLE %s.stopover_mirror_probe AS SELECT %I FROM %s WITH NO DATA', home, side.column3, relation);
      -- The second one is about the cast, which the server adds unseen.
      EXECUTE format('ALTER TABLE %s.stopover_mirror_probe ADD COLUMN stopover_value %s GENERATED ALWAYS AS (%s) STORED, ADD COLUMN stopover_cast %2$s GENERATED ALWAYS AS (CAST((%3$s) AS %2$s)) STORED',
        home, side.column5, side.column2);
      EXECUTE format('CREATE VIEW %s.stopover_mirror_look AS SELECT (%s) AS value FROM %1$s.stopover_mirror_probe', home, side.column2);
      EXECUTE format('SELECT 1 FROM %s.stopover_mirror_probe WHERE stopover_value IS DISTINCT FROM (%s) LIMIT 0', home, side.column2);
    EXCEPTION WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
      RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = format('the mirror of %s needs an expression of %s alone that gives a %s, the same in every session: %s="%s": %s',
        @shown@, side.column3, side.column5, side.column1, side.column2, SQLERRM);
    END;
    SELECT a.atttypmod, a.attcollation INTO probe FROM pg_attribute a
      WHERE a.attrelid = to_regclass(home || '.stopover_mirror_look') AND a.attname = 'value';
    IF side.column7 >= 0 AND probe.atttypmod <> side.column7
        AND side.column6 IN ('numeric'::regtype, 'time'::regtype, 'timetz'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'interval'::regtype) THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('the mirror of %s: %s is a %s, which rounds without an error; write %s="CAST(.. AS %s)"',
        @shown@, side.column4, side.column5, side.column1, side.column5);
    END IF;
    IF probe.attcollation <> side.column8 AND probe.attcollation <> 0 AND side.column8 <> 0 THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('the mirror of %s: the value of %s has another collation than the column %s; write %s="(..) COLLATE %s"',
        @shown@, side.column1, side.column4, side.column1, (SELECT quote_ident(collname) FROM pg_collation WHERE oid = side.column8));
    END IF;
    EXECUTE format('DROP VIEW %s.stopover_mirror_look', home);
    EXECUTE format('DROP TABLE %s.stopover_mirror_probe', home);
  END LOOP;
  -- Two sides that agree stay as they are: so a backfill is not undone, and
  -- rows that new code sets right are left alone. Else the side that was
  -- written wins, the new one if both were. In an INSERT OLD is NULL: there a
  -- new column that is NULL was not written. The last lines keep a NULL that
  -- has no counterpart from coming back in a later sweep.
  EXECUTE format($format$CREATE FUNCTION %1$s."%2$s"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, %8$s, pg_temp AS $mirror$
DECLARE
  %3$I %5$s.%3$I%%TYPE := NEW.%3$I;
  %4$I %5$s.%4$I%%TYPE := NEW.%4$I;
  stopover_up %5$s.%4$I%%TYPE := (%6$s);
BEGIN
  IF NEW.%4$I IS NOT DISTINCT FROM stopover_up THEN
    RETURN NEW;
  END IF;
  IF NEW.%4$I IS NOT DISTINCT FROM OLD.%4$I THEN
    NEW.%4$I := stopover_up;
    RETURN NEW;
  END IF;
  NEW.%3$I := (%7$s);
  IF NEW.%4$I IS NULL THEN
    %3$I := NEW.%3$I;
    NEW.%4$I := (%6$s);
  END IF;
  RETURN NEW;
END
$mirror$$format$, home, @function:text@, o.attname, n.attname, relation, @up:text@, @down:text@, path);
  EXECUTE format('COMMENT ON FUNCTION %s.%I() IS %L', home, @function:text@,
    format('Stopover: keeps %s and %s of %s in step until the contract of the migration %s', o.attname, n.attname, relation, @migration:text@));
  EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION %s.%I()',
    @trigger:text@ || '_insert', relation, home, @function:text@);
  -- Without a list of columns: that would overlook what triggers change.
  EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW WHEN (NEW.%I IS DISTINCT FROM OLD.%3$I OR NEW.%I IS DISTINCT FROM OLD.%4$I) EXECUTE FUNCTION %s.%I()',
    @trigger:text@ || '_update', relation, o.attname, n.attname, home, @function:text@);
  -- Also for rows that come by logical replication, or from a restore that says
  -- it is a replica.
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I, ENABLE ALWAYS TRIGGER %I',
    relation, @trigger:text@ || '_insert', @trigger:text@ || '_update');
END
$stopover$;
