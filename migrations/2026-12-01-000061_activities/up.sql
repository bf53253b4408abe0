CREATE TABLE activities (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('call', 'chat', 'video', 'appointment', 'callback', 'order', 'other')),
    source text NOT NULL,
    external_id text,
    started_at timestamptz NOT NULL,
    ended_at timestamptz CHECK (ended_at >= started_at),
    outcome text,
    subject text,
    body text,
    search_key text NOT NULL,
    operator_id uuid,
    operator_name text,
    details jsonb NOT NULL,
    customer_id uuid NOT NULL,
    deal_id uuid,
    permit_status smallint NOT NULL CHECK (permit_status BETWEEN 1 AND 4),
    permit_group_id uuid,
    permit_user_ids uuid[] NOT NULL,
    owner_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT activities_external_id_unique UNIQUE (org_id, source, external_id),
    CONSTRAINT activities_one_operator CHECK (num_nonnulls(operator_id, operator_name) <= 1),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id),
    FOREIGN KEY (org_id, operator_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, permit_group_id) REFERENCES groups (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id)
);
COMMENT ON TABLE activities IS 'What happened with customers: calls, chats, orders. Their texts are here alone: they stand in no history.';
COMMENT ON COLUMN activities.source IS 'Which system tells of it; with external_id that system''s name for it. Without an external_id it is never heard of again.';
COMMENT ON COLUMN activities.search_key IS 'Subject and text in the form in which they are searched: any case is the same.';
COMMENT ON COLUMN activities.operator_id IS 'Who dealt with the customer, where they are a user; else operator_name is what the source calls them.';
COMMENT ON COLUMN activities.details IS 'Members of the source''s own, at most 16 KiB.';
COMMENT ON COLUMN activities.permit_status IS 'Who may read: 1 everybody, 2 the owner, 3 the owner and a group, 4 the owner and users; whether or not they may read whose it is.';
CREATE INDEX activities_customer ON activities (org_id, customer_id, id);
CREATE INDEX activities_deal ON activities (org_id, deal_id, id) WHERE deal_id IS NOT NULL;
CREATE INDEX activities_started_at ON activities (org_id, started_at);

SELECT secure_org_tables();
