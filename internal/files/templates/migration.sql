-- Each line that begins with the mark opens a section; delete those that you do
-- not need. They run in this order, and the application may be alive meanwhile.

-- Add what old releases do not notice: a table, a column that may be empty.
-- `needs=` names the first release that cannot start without it.
-- stopover: expand
ALTER TABLE example ADD COLUMN title text;

-- Fill it. It is cut into batches by the table's key and can be interrupted.
-- `writers=` names the oldest release that may write while it runs and after.
-- stopover: backfill
UPDATE example SET title = name WHERE title IS NULL;

-- Look for what is wrong: every row that this returns is a violation.
-- stopover: verify
SELECT id FROM example WHERE title IS NULL;

-- Take away what only old releases use. It runs last, on `stopover cleanup`;
-- `writers=` and `readers=` name the oldest release that can live without it.
-- stopover: contract
ALTER TABLE example DROP COLUMN name;

-- Take the expand back.
-- stopover: undo-expand
ALTER TABLE example DROP COLUMN title;
