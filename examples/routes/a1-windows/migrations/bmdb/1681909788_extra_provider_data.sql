-- stopover: expand needs=1578
ALTER TABLE machine ADD COLUMN provider_state text;
