CREATE TABLE tickets (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    title text,
    body text NOT NULL,
    search_key text NOT NULL,
    customer_id uuid NOT NULL,
    deal_id uuid,
    permit_status smallint NOT NULL CHECK (permit_status BETWEEN 1 AND 3),
    permit_group_id uuid,
    sla_id uuid,
    first_response_due_at timestamptz,
    resolution_due_at timestamptz,
    channel_id uuid,
    cus_fields jsonb NOT NULL,
    owner_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT tickets_code_unique UNIQUE (org_id, number),
    CHECK (num_nonnulls(sla_id, first_response_due_at, resolution_due_at) IN (0, 3)),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id),
    FOREIGN KEY (org_id, permit_group_id) REFERENCES groups (org_id, id),
    FOREIGN KEY (org_id, sla_id) REFERENCES slas (org_id, id),
    FOREIGN KEY (org_id, channel_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id)
);
COMMENT ON TABLE tickets IS 'What customers and leads ask for.';
COMMENT ON COLUMN tickets.number IS 'The n of TID-n.';
COMMENT ON COLUMN tickets.search_key IS 'Title and text in the form in which they are searched: any case is the same.';
COMMENT ON COLUMN tickets.permit_status IS 'Who may read: 1 everybody, 2 the owner, 3 the owner and the ticket''s group.';
COMMENT ON COLUMN tickets.permit_group_id IS 'The ticket''s group.';
COMMENT ON COLUMN tickets.first_response_due_at IS 'From the SLA as it was when the ticket came.';
COMMENT ON COLUMN tickets.cus_fields IS 'Custom field id → value.';
CREATE INDEX tickets_customer ON tickets (org_id, customer_id, id);
CREATE INDEX tickets_deal ON tickets (org_id, deal_id) WHERE deal_id IS NOT NULL;

CREATE TABLE ticket_tags (
    org_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    PRIMARY KEY (org_id, ticket_id, tag_id),
    FOREIGN KEY (org_id, ticket_id) REFERENCES tickets (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, tag_id) REFERENCES tags (org_id, id)
);
COMMENT ON TABLE ticket_tags IS 'Which ticket has which tag.';
CREATE INDEX ticket_tags_tag ON ticket_tags (org_id, tag_id);

ALTER TABLE history ADD CONSTRAINT history_ticket_fkey
    FOREIGN KEY (org_id, ticket_id) REFERENCES tickets (org_id, id) ON DELETE CASCADE;
