-- stopover: expand
CREATE TABLE shepherd_process (name text PRIMARY KEY);
