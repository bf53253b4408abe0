ALTER TABLE deliveries DROP COLUMN format;
