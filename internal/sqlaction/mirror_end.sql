DO $stopover$
BEGIN -- the mirror of @table@ ends: each side is written by itself from here on
  DROP TRIGGER IF EXISTS "@trigger@_insert" ON @table@;
  DROP TRIGGER IF EXISTS "@trigger@_update" ON @table@;
  DROP FUNCTION IF EXISTS "@function@"();
END
$stopover$;
