-- What is older leaves the new columns empty, what is newer reads them: nothing may be alive.
-- stopover: expand offline needs=1865 writers=1865 readers=1865
ALTER TABLE machine_os_installation_report ADD COLUMN result text NOT NULL DEFAULT 'unknown', ADD COLUMN error text NOT NULL DEFAULT '';
