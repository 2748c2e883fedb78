-- stopover: expand
CREATE TABLE machine_agent_started (machine_id uuid PRIMARY KEY REFERENCES machine, started_at timestamptz NOT NULL);
