-- From 1.5 on every release writes both columns; 1.6 is the first that reads the new one. What 1.4 has changed after 1.5
-- wrote it differs: it is not enough to fill what is NULL.
-- stopover: backfill table=orders writers=1.5 needs=1.6
UPDATE orders SET currency = cur_code WHERE currency IS DISTINCT FROM cur_code;
-- stopover: verify
SELECT id FROM orders WHERE currency IS DISTINCT FROM cur_code;
