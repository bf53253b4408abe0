CREATE TABLE customer_external_ids (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    source text NOT NULL,
    external_id text NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (org_id, source, external_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE customer_external_ids IS 'The ids by which other systems know customers. contactId is the tenant''s own.';
CREATE INDEX customer_external_ids_customer ON customer_external_ids (org_id, customer_id);

CREATE TABLE erased_external_ids (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    digest bytea NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, digest)
);
COMMENT ON TABLE erased_external_ids IS 'Whom a source must not bring back: keyed hashes of the ids of customers who were erased.';
COMMENT ON COLUMN erased_external_ids.digest IS 'SHA-256 of the org''s erasure_salt and source:external_id.';

ALTER TABLE org_settings
    ADD COLUMN erasure_salt bytea NOT NULL
        DEFAULT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
COMMENT ON COLUMN org_settings.erasure_salt IS 'Keys the hashes of erased external ids. It never changes, whatever becomes of the instance''s keys.';

SELECT secure_org_tables();
