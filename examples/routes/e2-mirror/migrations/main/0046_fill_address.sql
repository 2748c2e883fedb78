-- A trigger of 0045 could not be simpler: street and town do not change after an order was placed.
-- stopover: backfill table=orders needs=1.8
UPDATE orders SET address = street || ', ' || town WHERE address IS NULL AND street IS NOT NULL;
