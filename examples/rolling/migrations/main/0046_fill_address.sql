-- stopover: backfill table=orders needs=1.8
UPDATE orders SET address = street || ', ' || town WHERE address IS NULL;
-- stopover: verify
SELECT id FROM orders WHERE address IS NULL;
