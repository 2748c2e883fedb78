-- stopover: contract writers=1.8 readers=1.8
DROP TRIGGER orders_address ON orders;
DROP FUNCTION orders_address();
ALTER TABLE orders DROP COLUMN street;
ALTER TABLE orders DROP COLUMN town;
