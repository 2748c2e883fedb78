-- stopover: expand
CREATE TABLE provider (name text PRIMARY KEY);
