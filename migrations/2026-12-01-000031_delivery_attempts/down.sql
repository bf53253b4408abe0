ALTER TABLE deliveries DROP COLUMN attempts;
