-- What every release of the application can live with goes below the next line.
-- stopover: expand
CREATE TABLE example (
    id integer PRIMARY KEY,
    name text NOT NULL
);

-- How to take it back, if that can be done.
-- stopover: undo-expand
DROP TABLE example;
