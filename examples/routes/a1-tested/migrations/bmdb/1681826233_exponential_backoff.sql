-- Tested: 1138 and later insert and read as before when the column is there.
-- stopover: expand needs=1565 writers=1138 readers=1138
ALTER TABLE work_backoff ADD COLUMN last_interval_seconds bigint;
