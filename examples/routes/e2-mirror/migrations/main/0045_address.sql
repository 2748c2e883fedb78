-- stopover: expand needs=1.8
ALTER TABLE orders ADD COLUMN address text;
