-- stopover: expand
ALTER TABLE orders ADD COLUMN currency text;
-- stopover: mirror table=orders old=cur_code new=currency

-- stopover: contract each
ALTER TABLE orders ADD CONSTRAINT orders_currency_set CHECK (currency IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_currency_set;
ALTER TABLE orders ALTER COLUMN currency SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_currency_set;
ALTER TABLE orders DROP COLUMN cur_code;
