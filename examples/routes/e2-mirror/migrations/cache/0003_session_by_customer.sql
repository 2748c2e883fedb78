-- A copy in another form. 1.6 and 1.7 write both tables, if both are there; 1.7 reads the new one.
-- stopover: expand writers=1.6 needs=1.7
CREATE TABLE customer_session (customer integer NOT NULL, token text NOT NULL, PRIMARY KEY (customer, token));
INSERT INTO customer_session SELECT customer, token FROM session;
-- stopover: contract writers=1.7
DROP TABLE session;
