CREATE TABLE listeners (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    enabled boolean NOT NULL,
    mode text NOT NULL CHECK (mode IN ('sync', 'async')),
    allowed_ips cidr[] NOT NULL,
    default_tag_id uuid,
    contact_source_id uuid,
    lead_source_id uuid,
    welcome_email jsonb,
    welcome_sms jsonb,
    unknown_references text NOT NULL CHECK (unknown_references IN ('reject', 'skip')),
    rate_per_second integer CHECK (rate_per_second > 0),
    rate_burst integer CHECK (rate_burst > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT listeners_name_unique UNIQUE (org_id, name_key),
    FOREIGN KEY (org_id, default_tag_id) REFERENCES tags (org_id, id),
    FOREIGN KEY (org_id, contact_source_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, lead_source_id) REFERENCES picklist_entries (org_id, id),
    CHECK ((rate_per_second IS NULL) = (rate_burst IS NULL))
);
COMMENT ON TABLE listeners IS 'The URLs that other systems post to, with the defaults of what they create.';
COMMENT ON COLUMN listeners.allowed_ips IS 'Networks that callers must be in; empty: any.';
COMMENT ON COLUMN listeners.welcome_email IS '{enabled, subject, body, text}: templates of the e-mail to a newly created customer.';
COMMENT ON COLUMN listeners.welcome_sms IS '{enabled, content}: template of the SMS to a newly created customer.';
COMMENT ON COLUMN listeners.unknown_references IS 'Whether a name that the org does not have fails the action or is dropped with a warning.';

CREATE TABLE listener_tokens (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    listener_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    token_sealed bytea NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT listener_tokens_token_unique UNIQUE (org_id, token_hash),
    FOREIGN KEY (org_id, listener_id) REFERENCES listeners (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE listener_tokens IS 'The secret part of listener URLs: the current one, and rotated ones until their grace ends.';
COMMENT ON COLUMN listener_tokens.token_hash IS 'Keyed hash (HMAC-SHA-256) of the token, for look-up.';
COMMENT ON COLUMN listener_tokens.token_sealed IS 'The token encrypted (XChaCha20-Poly1305), for showing the URL to admins again.';
COMMENT ON COLUMN listener_tokens.expires_at IS 'Set on a rotated token: until then it still works.';
CREATE INDEX listener_tokens_listener ON listener_tokens (org_id, listener_id);
