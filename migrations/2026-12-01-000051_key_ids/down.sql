ALTER TABLE api_keys DROP COLUMN key_id;
ALTER TABLE sessions DROP COLUMN key_id;
