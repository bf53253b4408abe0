CREATE TABLE api_keys (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    token_hash bytea NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT api_keys_name_unique UNIQUE (org_id, name_key),
    CONSTRAINT api_keys_token_unique UNIQUE (org_id, token_hash)
);
COMMENT ON TABLE api_keys IS 'Keys of programs that call the management API. They belong to the org, to no user.';
COMMENT ON COLUMN api_keys.name_key IS 'The name in the form in which it is compared: any case is the same.';
COMMENT ON COLUMN api_keys.token_hash IS 'Keyed hash (HMAC-SHA-256) of the key, which itself is kept nowhere.';
COMMENT ON COLUMN api_keys.expires_at IS 'Null: it works until it is deleted.';
COMMENT ON COLUMN api_keys.last_used_at IS 'Written once in five minutes at most. Null: never used.';

ALTER TABLE sessions ADD COLUMN last_used_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE sessions ALTER COLUMN last_used_at DROP DEFAULT;
COMMENT ON COLUMN sessions.last_used_at IS 'Written once in five minutes at most. A session that is not used ends before expires_at.';

COMMENT ON TABLE sign_in_failures IS 'Failed sign-ins, for the throttle. Global, since the org named may not exist.';
COMMENT ON COLUMN sign_in_failures.subject IS 'SHA-256 of the org and e-mail that were tried, or of the caller''s network and the quarter of an hour.';
