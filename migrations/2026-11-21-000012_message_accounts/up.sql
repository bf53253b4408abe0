CREATE TABLE message_accounts (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    settings jsonb NOT NULL,
    secrets_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, channel)
);
COMMENT ON TABLE message_accounts IS 'Through which mail server or SMS provider an org sends; without a row through the instance''s.';
COMMENT ON COLUMN message_accounts.settings IS 'As the API shows them: a secret that is set stands there as ********.';
COMMENT ON COLUMN message_accounts.secrets_sealed IS 'JSON Pointer into settings → secret, encrypted (XChaCha20-Poly1305).';
