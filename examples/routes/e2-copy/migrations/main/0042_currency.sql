-- stopover: expand needs=1.5
ALTER TABLE orders ADD COLUMN currency text;
CREATE TRIGGER orders_currency AFTER INSERT ON orders WHEN NEW.currency IS NULL
BEGIN UPDATE orders SET currency = NEW.cur_code WHERE id = NEW.id; END;
