-- Amounts are text, "12.50 EUR". They become whole cents and a currency.
-- stopover: expand
ALTER TABLE orders ADD COLUMN cents integer;
ALTER TABLE orders ADD COLUMN currency text;

-- Code that writes only the new form keeps the old one right through these.
CREATE TRIGGER orders_total_insert AFTER INSERT ON orders
WHEN NEW.total IS NULL
BEGIN
    UPDATE orders SET total = printf('%d.%02d %s', cents / 100, cents % 100, currency)
    WHERE id = NEW.id;
END;
CREATE TRIGGER orders_total_update AFTER UPDATE OF cents, currency ON orders
WHEN NEW.total IS NOT printf('%d.%02d %s', NEW.cents / 100, NEW.cents % 100, NEW.currency)
BEGIN
    UPDATE orders SET total = printf('%d.%02d %s', cents / 100, cents % 100, currency)
    WHERE id = NEW.id;
END;

-- stopover: backfill
UPDATE orders SET
    cents = CAST(replace(substr(total, 1, length(total) - 4), '.', '') AS integer),
    currency = substr(total, -3)
WHERE total IS NOT printf('%d.%02d %s', cents / 100, cents % 100, currency);

-- stopover: verify
SELECT id, total, cents, currency FROM orders
WHERE cents IS NULL OR total IS NOT printf('%d.%02d %s', cents / 100, cents % 100, currency);

-- stopover: contract
DROP TRIGGER orders_total_insert;
DROP TRIGGER orders_total_update;
ALTER TABLE orders DROP COLUMN total;

-- stopover: undo-expand
DROP TRIGGER orders_total_insert;
DROP TRIGGER orders_total_update;
ALTER TABLE orders DROP COLUMN cents;
ALTER TABLE orders DROP COLUMN currency;
