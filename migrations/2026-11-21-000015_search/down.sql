ALTER TABLE customers DROP COLUMN search;
