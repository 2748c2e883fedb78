-- stopover: expand
ALTER TABLE machine ADD COLUMN provider_state text;
