ALTER TABLE deliveries
    ADD COLUMN format text NOT NULL DEFAULT 'beeiq' CHECK (format IN ('beeiq'));
COMMENT ON COLUMN deliveries.format IS 'In which format the body is: a delivery is applied, replayed and redacted as what it came as.';
