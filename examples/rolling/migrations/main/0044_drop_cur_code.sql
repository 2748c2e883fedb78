-- 1.5 still reads cur_code, and 1.6 writes it as long as it is there.
-- stopover: contract writers=1.6 readers=1.6
ALTER TABLE orders DROP COLUMN cur_code;
