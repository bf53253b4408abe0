ALTER TABLE org_settings DROP COLUMN erasure_salt;
DROP TABLE erased_external_ids;
DROP TABLE customer_external_ids;
