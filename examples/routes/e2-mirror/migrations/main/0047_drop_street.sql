-- stopover: contract writers=1.8 readers=1.8
ALTER TABLE orders DROP COLUMN street;
ALTER TABLE orders DROP COLUMN town;
