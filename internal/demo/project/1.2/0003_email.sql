-- The column mail gets the name email. Triggers keep both equal, whichever of
-- them is written, so that no release has to write both.
-- stopover: expand
ALTER TABLE customers ADD COLUMN email text;
CREATE TRIGGER customers_mail_insert AFTER INSERT ON customers
WHEN NEW.email IS NOT NEW.mail
BEGIN
    UPDATE customers SET mail = coalesce(mail, email), email = coalesce(mail, email) WHERE id = NEW.id;
END;
CREATE TRIGGER customers_mail_update AFTER UPDATE OF mail ON customers
WHEN NEW.email IS NOT NEW.mail AND NEW.mail IS NOT OLD.mail
BEGIN
    UPDATE customers SET email = mail WHERE id = NEW.id;
END;
CREATE TRIGGER customers_email_update AFTER UPDATE OF email ON customers
WHEN NEW.mail IS NOT NEW.email AND NEW.email IS NOT OLD.email
BEGIN
    UPDATE customers SET mail = email WHERE id = NEW.id;
END;

-- stopover: backfill
UPDATE customers SET email = mail WHERE email IS NOT mail;

-- stopover: verify
SELECT id, mail, email FROM customers WHERE email IS NOT mail;

-- stopover: contract
DROP TRIGGER customers_mail_insert;
DROP TRIGGER customers_mail_update;
DROP TRIGGER customers_email_update;
ALTER TABLE customers DROP COLUMN mail;

-- stopover: undo-expand
DROP TRIGGER customers_mail_insert;
DROP TRIGGER customers_mail_update;
DROP TRIGGER customers_email_update;
ALTER TABLE customers DROP COLUMN email;
