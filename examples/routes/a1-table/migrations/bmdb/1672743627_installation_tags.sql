-- stopover: expand
CREATE TABLE machine_os_installation_report (machine_id uuid PRIMARY KEY REFERENCES machine, generation bigint NOT NULL);
