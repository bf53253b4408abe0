ALTER TABLE deliveries
    DROP CONSTRAINT deliveries_format_check,
    ADD CONSTRAINT deliveries_format_check CHECK (format IN ('beeiq', 'oktium', 'iadvize', 'wolkvox')),
    ADD COLUMN connection_id uuid;
COMMENT ON COLUMN deliveries.connection_id IS 'The connection through which it came; listener_id is then the listener whose defaults applied. No foreign key: a delivery outlives its connection.';
CREATE INDEX deliveries_connection ON deliveries (org_id, connection_id, id) WHERE connection_id IS NOT NULL;

ALTER TABLE history ADD COLUMN connection_id uuid;
COMMENT ON COLUMN history.connection_id IS 'The connection through which what caused it came.';

ALTER TABLE activities ADD COLUMN as_of timestamptz;
COMMENT ON COLUMN activities.as_of IS 'When that was so which a source told last: what it tells of an earlier time changes nothing but fills gaps.';
