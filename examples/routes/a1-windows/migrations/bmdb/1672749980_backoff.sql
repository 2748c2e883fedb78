-- stopover: expand needs=1138
CREATE TABLE work_backoff (machine_id uuid NOT NULL REFERENCES machine, process text NOT NULL, until timestamptz NOT NULL,
  cause text NOT NULL, PRIMARY KEY (machine_id, process));
