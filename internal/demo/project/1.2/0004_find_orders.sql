-- stopover: expand
CREATE INDEX orders_found ON orders (placed);

-- stopover: undo-expand
DROP INDEX orders_found;
