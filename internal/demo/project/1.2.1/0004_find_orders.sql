-- stopover: expand
CREATE INDEX orders_found ON orders (customer, placed);

-- stopover: undo-expand
DROP INDEX orders_found;
