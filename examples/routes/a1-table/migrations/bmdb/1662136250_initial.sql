-- stopover: expand
CREATE TABLE machine (machine_id uuid PRIMARY KEY, created_at timestamptz NOT NULL);
