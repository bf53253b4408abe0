-- Global: found before it is known whose request it is.
CREATE TABLE orgs (
    id uuid PRIMARY KEY,
    public_id text NOT NULL UNIQUE,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE orgs IS 'The organisations, the tenants of this instance. The only table that is not a tenant''s own.';
COMMENT ON COLUMN orgs.public_id IS 'Short random text that every token of the org carries, so that the org is known before its tables are read.';
COMMENT ON COLUMN orgs.slug IS 'The name by which people sign in, lower case.';

CREATE TABLE org_settings (
    org_id uuid PRIMARY KEY REFERENCES orgs (id) ON DELETE CASCADE,
    time_zone text NOT NULL,
    default_region text NOT NULL,
    default_currency text NOT NULL,
    directory_version bigint NOT NULL DEFAULT 1,
    sms_credits bigint NOT NULL CHECK (sms_credits >= 0)
);
COMMENT ON TABLE org_settings IS 'One row an org: what its payloads are read by, and what its processes agree on.';
COMMENT ON COLUMN org_settings.time_zone IS 'IANA name; epoch milliseconds and plain dates are read in it.';
COMMENT ON COLUMN org_settings.default_region IS 'ISO 3166-1 alpha-2; phone numbers without a country code are read in it.';
COMMENT ON COLUMN org_settings.directory_version IS 'Counts every change of a setting; a process whose cached directory is older reads it anew.';
COMMENT ON COLUMN org_settings.sms_credits IS 'Trial SMS segments left.';

CREATE TABLE org_counters (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    name text NOT NULL,
    next_value bigint NOT NULL,
    PRIMARY KEY (org_id, name)
);
COMMENT ON TABLE org_counters IS 'Where the visible numbers (PID-n, CID-n, LID-n …) come from, taken in blocks: gaps are allowed, reuse is not.';

CREATE TABLE users (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    active boolean NOT NULL DEFAULT true,
    password_hash text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT users_email_unique UNIQUE (org_id, email_key)
);
COMMENT ON TABLE users IS 'The people of an org: who signs in, sends, owns records.';
COMMENT ON COLUMN users.email_key IS 'The e-mail in the form in which it is compared.';
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC form; null: cannot sign in.';

CREATE TABLE groups (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT groups_name_unique UNIQUE (org_id, name_key)
);
COMMENT ON TABLE groups IS 'Groups of users, named by permits, tickets and deals.';
COMMENT ON COLUMN groups.name_key IS 'The name in the form in which it is compared: any case is the same.';

CREATE TABLE group_members (
    org_id uuid NOT NULL,
    group_id uuid NOT NULL,
    user_id uuid NOT NULL,
    PRIMARY KEY (org_id, group_id, user_id),
    FOREIGN KEY (org_id, group_id) REFERENCES groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE group_members IS 'Which user is in which group.';
CREATE INDEX group_members_user ON group_members (org_id, user_id);

CREATE TABLE sessions (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT sessions_token_unique UNIQUE (org_id, token_hash),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE sessions IS 'Who is signed in. The token itself is kept nowhere.';
COMMENT ON COLUMN sessions.token_hash IS 'Keyed hash (HMAC-SHA-256) of the token.';
CREATE INDEX sessions_user ON sessions (org_id, user_id);

CREATE TABLE sign_in_failures (
    subject bytea PRIMARY KEY,
    failures integer NOT NULL,
    last_failed_at timestamptz NOT NULL
);
COMMENT ON TABLE sign_in_failures IS 'Failed sign-ins in a row, for the throttle. Global, since the org named may not exist.';
COMMENT ON COLUMN sign_in_failures.subject IS 'Keyed hash of the org and e-mail that were tried.';
