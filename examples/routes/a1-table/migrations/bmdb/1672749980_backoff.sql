-- No row of the table covers this version. Its procedure has the fleet at the newest change of row 0 first.
-- stopover: expand writers=1564 readers=1564
CREATE TABLE work_backoff (machine_id uuid NOT NULL REFERENCES machine, process text NOT NULL, until timestamptz NOT NULL,
  cause text NOT NULL, PRIMARY KEY (machine_id, process));
