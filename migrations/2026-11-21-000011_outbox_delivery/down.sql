DROP TABLE outbox_pauses, outbox_attempts;
DROP INDEX outbox_waiting, outbox_status, outbox_recipient;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE status = 'pending';
COMMENT ON COLUMN outbox.attempts IS NULL;
COMMENT ON COLUMN outbox.next_attempt_at IS NULL;
ALTER TABLE outbox
    DROP CONSTRAINT outbox_claimed_while_sending,
    DROP COLUMN claim_id,
    DROP COLUMN sent_at,
    DROP COLUMN provider_id,
    DROP COLUMN last_words;
UPDATE outbox SET status = 'pending' WHERE status = 'sending';
