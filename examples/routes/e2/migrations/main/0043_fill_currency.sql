-- The trigger of 0042 fills the column for releases that do not know it: no writers' floor.
-- stopover: backfill table=orders needs=1.6
UPDATE orders SET currency = cur_code WHERE currency IS NULL;
