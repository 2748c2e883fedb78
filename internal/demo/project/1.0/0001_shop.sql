-- stopover: expand
CREATE TABLE customers (
    id   integer PRIMARY KEY,
    name text NOT NULL,
    mail text
);
CREATE TABLE orders (
    id       integer PRIMARY KEY,
    customer integer NOT NULL REFERENCES customers (id),
    placed   text NOT NULL,
    total    text -- "12.50 EUR"
);
