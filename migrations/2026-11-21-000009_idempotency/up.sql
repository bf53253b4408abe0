CREATE TABLE idempotency_keys (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    listener_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    delivery_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, listener_id, key),
    FOREIGN KEY (org_id, delivery_id) REFERENCES deliveries (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE idempotency_keys IS 'Which delivery answered an Idempotency-Key first; for seven days a retry gets that answer again.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'SHA-256 of the query and the body: the same key with another request is a mistake.';
CREATE INDEX idempotency_keys_delivery ON idempotency_keys (org_id, delivery_id);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
