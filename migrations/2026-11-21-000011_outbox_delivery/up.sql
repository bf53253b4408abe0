ALTER TABLE outbox
    ADD COLUMN claim_id uuid,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN provider_id text,
    ADD COLUMN last_words text,
    ADD CONSTRAINT outbox_claimed_while_sending CHECK ((status = 'sending') = (claim_id IS NOT NULL));
COMMENT ON COLUMN outbox.claim_id IS 'By which claim a process is sending it; what ends an attempt names it.';
COMMENT ON COLUMN outbox.next_attempt_at IS 'From when on it may be claimed: while it is being sent, when the lease of that claim ends.';
COMMENT ON COLUMN outbox.attempts IS 'Failed tries since it was queued, or since a person asked for a retry.';
COMMENT ON COLUMN outbox.provider_id IS 'The id that the provider gave it.';
COMMENT ON COLUMN outbox.last_words IS 'What the provider said last.';

-- Claims look at one org's channel at a time, and step from one to the next: never at all that waits.
DROP INDEX outbox_due;
CREATE INDEX outbox_waiting ON outbox (org_id, channel, next_attempt_at, id) WHERE status IN ('pending', 'sending');
CREATE INDEX outbox_status ON outbox (org_id, status, id);
CREATE INDEX outbox_recipient ON outbox (org_id, lower(recipient), id);

CREATE TABLE outbox_attempts (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    message_id uuid NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    duration_ms integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('sent', 'transient', 'permanent')),
    words text NOT NULL,
    PRIMARY KEY (org_id, message_id, number),
    FOREIGN KEY (org_id, message_id) REFERENCES outbox (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE outbox_attempts IS 'The tries of a message that came to an end, with the provider''s words. A refused account is no try of the message: see outbox_pauses.';
COMMENT ON COLUMN outbox_attempts.number IS 'Counts on after a retry that a person asked for.';

CREATE TABLE outbox_pauses (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    until timestamptz NOT NULL,
    refusals integer NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (org_id, channel)
);
COMMENT ON TABLE outbox_pauses IS 'Channels whose account was refused: nothing of theirs is claimed until then.';
COMMENT ON COLUMN outbox_pauses.refusals IS 'How often in a row; the pause grows with it.';
