-- stopover: expand
ALTER TABLE machine_os_installation_report ADD COLUMN result text NOT NULL DEFAULT 'unknown', ADD COLUMN error text NOT NULL DEFAULT '';
