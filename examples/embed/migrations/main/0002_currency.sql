-- stopover: expand
ALTER TABLE orders ADD COLUMN currency text;

-- stopover: backfill
UPDATE orders SET currency = cur_code WHERE currency IS NULL;

-- stopover: verify
SELECT id FROM orders WHERE currency IS NULL;

-- stopover: undo-expand
ALTER TABLE orders DROP COLUMN currency;
