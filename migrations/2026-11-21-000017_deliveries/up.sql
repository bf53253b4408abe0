ALTER TABLE deliveries
    ADD COLUMN respond_async boolean NOT NULL DEFAULT false,
    ADD COLUMN replay_of uuid,
    ADD COLUMN unresolved integer;
COMMENT ON COLUMN deliveries.respond_async IS 'Whether it was taken for later: committed as pending, answered 202, applied in order of arrival.';
COMMENT ON COLUMN deliveries.replay_of IS 'The delivery whose actions this one ran again, on an admin''s word.';
COMMENT ON COLUMN deliveries.unresolved IS 'How many of its actions have not been applied yet, by it or by a replay; null where none were read.';

CREATE INDEX deliveries_pending ON deliveries (org_id, listener_id, id) WHERE status = 'pending';
CREATE INDEX deliveries_not_succeeded ON deliveries (org_id, status, id) WHERE status <> 'succeeded';
CREATE INDEX deliveries_replays ON deliveries (org_id, replay_of, id) WHERE replay_of IS NOT NULL;
