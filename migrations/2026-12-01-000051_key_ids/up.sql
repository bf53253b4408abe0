-- Which of the instance's keys a token was hashed with, so that it is known when an older key is no
-- longer needed. NULL: by a version that had one key.
ALTER TABLE sessions ADD COLUMN key_id bytea;
ALTER TABLE api_keys ADD COLUMN key_id bytea;
COMMENT ON COLUMN sessions.key_id IS 'The key that made token_hash; NULL: not known';
COMMENT ON COLUMN api_keys.key_id IS 'The key that made token_hash; NULL: not known';
