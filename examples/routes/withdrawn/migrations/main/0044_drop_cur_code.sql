-- 1.5 still reads cur_code, so neither writers nor readers below 1.6 may be alive.
-- stopover: contract writers=1.6 readers=1.6
ALTER TABLE orders DROP COLUMN cur_code;
