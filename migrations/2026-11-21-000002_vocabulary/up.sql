CREATE TABLE tags (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT tags_name_unique UNIQUE (org_id, name_key)
);
COMMENT ON TABLE tags IS 'An org''s tags; payloads create those not yet known.';

CREATE TABLE picklist_entries (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    list text NOT NULL CHECK (list IN ('source', 'channel', 'deal_stage', 'deal_category', 'deal_package')),
    name text NOT NULL,
    name_key text NOT NULL,
    position integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT picklist_entries_name_unique UNIQUE (org_id, list, name_key)
);
COMMENT ON TABLE picklist_entries IS 'The lists of names that an org chooses from: sources, channels, and a deal''s stages, categories and packages.';
COMMENT ON COLUMN picklist_entries.position IS 'The order within the list; a deal''s first stage is the lowest.';

CREATE TABLE org_currencies (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    code text NOT NULL,
    PRIMARY KEY (org_id, code)
);
COMMENT ON TABLE org_currencies IS 'The currencies (ISO 4217) that an org''s deals may be in.';

CREATE TABLE slas (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    first_response_minutes integer NOT NULL CHECK (first_response_minutes > 0),
    resolution_minutes integer NOT NULL CHECK (resolution_minutes > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT slas_name_unique UNIQUE (org_id, name_key)
);
COMMENT ON TABLE slas IS 'Service levels: how soon a ticket is to be answered and resolved.';

CREATE TABLE custom_fields (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    model text NOT NULL CHECK (model IN ('contact', 'account', 'lead', 'deal', 'ticket')),
    name text NOT NULL,
    name_key text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('text', 'textarea', 'number', 'date', 'select', 'radio', 'checkbox', 'inline_checkbox')),
    options jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT custom_fields_name_unique UNIQUE (org_id, model, name_key)
);
COMMENT ON TABLE custom_fields IS 'What an org keeps of a record beyond the fields that all have. Values are in the records, by this id.';
COMMENT ON COLUMN custom_fields.options IS 'Array of text: what select, radio, checkbox and inline_checkbox choose from.';
