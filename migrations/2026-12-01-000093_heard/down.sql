ALTER TABLE activities DROP COLUMN as_of;
ALTER TABLE history DROP COLUMN connection_id;
ALTER TABLE deliveries
    DROP COLUMN connection_id,
    DROP CONSTRAINT deliveries_format_check,
    ADD CONSTRAINT deliveries_format_check CHECK (format IN ('beeiq'));
