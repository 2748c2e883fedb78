-- Row 1 begins here. Whether changes before 1564 can live with it, the table does not say.
-- stopover: expand needs=1565 writers=1564 readers=1564
ALTER TABLE work_backoff ADD COLUMN last_interval_seconds bigint;
