-- stopover: expand needs=1.5
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: mirror table=orders old=cur_code new=currency

-- What to fill, and what to prove, follow from the mirror.
-- stopover: backfill needs=1.6

-- 1.5 still reads cur_code, so neither writers nor readers below 1.6 may be alive.
-- stopover: contract writers=1.6 readers=1.6
ALTER TABLE orders DROP COLUMN cur_code;
