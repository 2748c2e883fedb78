-- From 1.5 on every release writes both columns; 1.6 is the first that reads the new one.
-- stopover: backfill table=orders writers=1.5 needs=1.6
UPDATE orders SET currency = cur_code WHERE currency IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE currency IS DISTINCT FROM cur_code;
