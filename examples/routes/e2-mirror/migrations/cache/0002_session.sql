-- stopover: expand
CREATE TABLE session (token text PRIMARY KEY, customer integer NOT NULL);
