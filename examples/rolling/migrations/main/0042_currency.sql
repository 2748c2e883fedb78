-- stopover: expand needs=1.5
ALTER TABLE orders ADD COLUMN currency text;
