-- The triggers carry over what older releases write while and after the copy is made: no writers' floor.
-- stopover: expand needs=1.7
CREATE TABLE customer_session (customer integer NOT NULL, token text NOT NULL, PRIMARY KEY (customer, token));
CREATE TRIGGER session_added AFTER INSERT ON session
BEGIN INSERT OR IGNORE INTO customer_session VALUES (NEW.customer, NEW.token); END;
CREATE TRIGGER session_ended AFTER DELETE ON session
BEGIN DELETE FROM customer_session WHERE customer = OLD.customer AND token = OLD.token; END;
INSERT OR IGNORE INTO customer_session SELECT customer, token FROM session;
-- stopover: contract writers=1.7
DROP TABLE session;
