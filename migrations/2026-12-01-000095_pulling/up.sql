SELECT open_to_queues('connections');
SELECT open_to_queues('connection_cursors');

CREATE TABLE source_tokens (
    hash bytea PRIMARY KEY,
    holder uuid NOT NULL,
    until timestamptz NOT NULL
);
COMMENT ON TABLE source_tokens IS 'Tokens of other systems that are being used, where none may be used twice at once. Global: orgs may have one in common';
COMMENT ON COLUMN source_tokens.hash IS 'A keyed hash of the token';
COMMENT ON COLUMN source_tokens.holder IS 'Who uses it, until then; a request takes less time';
CREATE INDEX source_tokens_age ON source_tokens (until);
ALTER TABLE source_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY unbound ON source_tokens USING (is_unbound());
CREATE POLICY source_tokens ON source_tokens USING (current_setting('app.scope', true) = 'source_tokens');

-- Bounds and no LIKE: an index behind row security serves only what tells nothing of other rows.
CREATE INDEX activities_open_conversations ON activities (org_id, started_at)
    WHERE source = 'iadvize' AND external_id >= 'conversation:' AND external_id < 'conversation;' AND ended_at IS NULL;
