-- stopover: expand
CREATE TABLE orders (
    id       integer PRIMARY KEY,
    cur_code text NOT NULL
);
INSERT INTO orders (cur_code) VALUES ('EUR'), ('USD');

-- stopover: undo-expand
DROP TABLE orders;
