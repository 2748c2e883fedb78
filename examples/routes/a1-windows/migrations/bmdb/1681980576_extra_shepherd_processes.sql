-- stopover: expand needs=1584
CREATE TABLE shepherd_process (name text PRIMARY KEY);
