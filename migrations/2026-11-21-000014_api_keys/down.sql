COMMENT ON TABLE sign_in_failures IS 'Failed sign-ins in a row, for the throttle. Global, since the org named may not exist.';
COMMENT ON COLUMN sign_in_failures.subject IS 'Keyed hash of the org and e-mail that were tried.';
ALTER TABLE sessions DROP COLUMN last_used_at;
DROP TABLE api_keys;
