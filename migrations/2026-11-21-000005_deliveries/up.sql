CREATE TABLE deliveries (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    listener_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    caller inet NOT NULL,
    query text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    body_complete boolean NOT NULL,
    sender_user text,
    dry_run boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'succeeded', 'partial', 'failed', 'rejected')),
    http_status smallint,
    answer text,
    duration_ms integer,
    repeats uuid,
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE deliveries IS 'Every request that a listener took: what came, from where, and what it was answered.';
COMMENT ON COLUMN deliveries.id IS 'The requestId of the answer; time-ordered.';
COMMENT ON COLUMN deliveries.listener_id IS 'No foreign key: a delivery outlives its listener.';
COMMENT ON COLUMN deliveries.headers IS 'Name → value, without those that carry secrets.';
COMMENT ON COLUMN deliveries.body_complete IS 'False where reading stopped early: over the limit, too slow, an encoding.';
COMMENT ON COLUMN deliveries.answer IS 'The JSON that was answered, to the byte.';
COMMENT ON COLUMN deliveries.repeats IS 'The earlier delivery of the same Idempotency-Key, whose answer was given again.';
CREATE INDEX deliveries_listener ON deliveries (org_id, listener_id, id);

CREATE TABLE history (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    customer_id uuid NOT NULL,
    actor_id uuid,
    listener_id uuid,
    request_id uuid,
    details jsonb NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, actor_id) REFERENCES users (org_id, id)
);
COMMENT ON TABLE history IS 'What happened to a record, a line an event; newest first by id.';
COMMENT ON COLUMN history.request_id IS 'The delivery that caused it.';
COMMENT ON COLUMN history.details IS 'What the kind of line tells: codes and ids, never the text of a note.';
CREATE INDEX history_customer ON history (org_id, customer_id, id);

CREATE TABLE outbox (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    status text NOT NULL CHECK (status IN ('pending', 'sending', 'sent', 'dead', 'cancelled', 'captured')),
    recipient text NOT NULL,
    subject text,
    html text,
    text text,
    segments smallint,
    message_id text NOT NULL,
    customer_id uuid,
    sender_id uuid,
    listener_id uuid,
    request_id uuid,
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, sender_id) REFERENCES users (org_id, id)
);
COMMENT ON TABLE outbox IS 'Messages to be sent, rendered; written in the transaction that causes them.';
COMMENT ON COLUMN outbox.recipient IS 'An e-mail address, or a phone number in E.164.';
COMMENT ON COLUMN outbox.text IS 'An e-mail''s text part, or an SMS''s content.';
COMMENT ON COLUMN outbox.message_id IS 'Fixed when queued: the same on every attempt.';
COMMENT ON COLUMN outbox.created_at IS 'When it was queued; an e-mail''s Date.';
CREATE INDEX outbox_customer ON outbox (org_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE status = 'pending';
