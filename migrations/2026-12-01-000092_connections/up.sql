CREATE TABLE connections (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('oktium', 'iadvize', 'wolkvox')),
    name text NOT NULL,
    name_key text NOT NULL,
    enabled boolean NOT NULL,
    listener_id uuid NOT NULL,
    sender_id uuid NOT NULL,
    welcome boolean NOT NULL,
    on_match text NOT NULL CHECK (on_match IN ('fill', 'update', 'skip')),
    since timestamptz NOT NULL,
    settings jsonb NOT NULL,
    secret_sealed bytea NOT NULL,
    paused_code text,
    last_error_code text,
    last_error_message text,
    last_error_at timestamptz,
    last_heard_at timestamptz,
    last_run_at timestamptz,
    last_success_at timestamptz,
    next_run_at timestamptz,
    run_requested uuid,
    failures integer NOT NULL DEFAULT 0,
    lease_id uuid,
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT connections_name_unique UNIQUE (org_id, name_key),
    CONSTRAINT connections_listener_id_fkey FOREIGN KEY (org_id, listener_id) REFERENCES listeners (org_id, id),
    CONSTRAINT connections_sender_id_fkey FOREIGN KEY (org_id, sender_id) REFERENCES users (org_id, id),
    CONSTRAINT connections_error_whole
        CHECK (num_nonnulls(last_error_code, last_error_message, last_error_at) IN (0, 3))
);
COMMENT ON TABLE connections IS 'Other systems that feed an org: they push, or are asked. From paused_code on what has become of it, which is no setting.';
COMMENT ON COLUMN connections.listener_id IS 'The listener whose defaults apply to what comes.';
COMMENT ON COLUMN connections.sender_id IS 'The user for whom it acts.';
COMMENT ON COLUMN connections.settings IS 'Those of its kind, without its secret.';
COMMENT ON COLUMN connections.secret_sealed IS 'The secret, key or token of its kind, encrypted (XChaCha20-Poly1305).';
COMMENT ON COLUMN connections.paused_code IS 'Why nothing is asked until somebody changes or resumes it.';
COMMENT ON COLUMN connections.last_heard_at IS 'When a system that pushes last told something.';
COMMENT ON COLUMN connections.next_run_at IS 'When it is to be asked next; NULL where it is never asked.';
COMMENT ON COLUMN connections.run_requested IS 'The run that somebody asked for, until it begins.';
COMMENT ON COLUMN connections.failures IS 'Runs in a row that failed for a reason that may pass.';
COMMENT ON COLUMN connections.lease_id IS 'Who is at work with it, until lease_until.';
CREATE INDEX connections_listener ON connections (org_id, listener_id);
CREATE INDEX connections_due ON connections (next_run_at) WHERE next_run_at IS NOT NULL;

CREATE TABLE connection_tokens (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    token_sealed bytea NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT connection_tokens_token_unique UNIQUE (org_id, token_hash),
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE connection_tokens IS 'The secret part of URLs that systems push to: the current one, and rotated ones until their grace ends.';
CREATE INDEX connection_tokens_connection ON connection_tokens (org_id, connection_id);

CREATE TABLE connection_cursors (
    org_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    resource text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (org_id, connection_id, resource),
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE connection_cursors IS 'How far each resource or campaign has been asked for; moved in the commit that applies the last of a window.';

CREATE TABLE connection_runs (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    status text NOT NULL CHECK (status IN ('running', 'succeeded', 'partial', 'failed')),
    requests integer NOT NULL DEFAULT 0,
    items integer NOT NULL DEFAULT 0,
    created integer NOT NULL DEFAULT 0,
    updated integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    error jsonb,
    resources jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE connection_runs IS 'Each time that a system was asked, and what came of it; the last 1,000 of a connection.';
CREATE INDEX connection_runs_connection ON connection_runs (org_id, connection_id, id);

SELECT secure_org_tables();
