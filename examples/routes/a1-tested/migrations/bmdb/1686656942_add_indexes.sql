-- stopover: expand
CREATE INDEX CONCURRENTLY machine_created ON machine (created_at);
