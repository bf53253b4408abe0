CREATE TABLE audit_log (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor_id uuid,
    api_key_id uuid,
    actor_name text NOT NULL,
    address inet,
    action text NOT NULL,
    resource text NOT NULL,
    resource_id text NOT NULL,
    resource_name text NOT NULL,
    changes jsonb NOT NULL,
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE audit_log IS 'Who changed which setting, when, from where. Names stand beside ids, so that a line outlives what it tells of.';
COMMENT ON COLUMN audit_log.actor_id IS 'The user; no foreign key.';
COMMENT ON COLUMN audit_log.api_key_id IS 'The API key by which it was done, where it was one.';
COMMENT ON COLUMN audit_log.actor_name IS 'The user''s e-mail, or the name of the API key.';
COMMENT ON COLUMN audit_log.resource IS 'The last part of the resource''s path: listeners, users, email …';
COMMENT ON COLUMN audit_log.changes IS 'Field → {from, to}; secrets are left out.';
CREATE INDEX audit_log_resource ON audit_log (org_id, resource, resource_id, id);
