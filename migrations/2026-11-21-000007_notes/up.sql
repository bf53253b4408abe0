CREATE TABLE notes (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    body text NOT NULL,
    body_key text NOT NULL,
    customer_id uuid,
    deal_id uuid,
    channel_id uuid,
    permit_status smallint NOT NULL CHECK (permit_status BETWEEN 1 AND 4),
    permit_group_id uuid,
    permit_user_ids uuid[] NOT NULL,
    owner_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT notes_one_target CHECK (num_nonnulls(customer_id, deal_id) = 1),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, channel_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, permit_group_id) REFERENCES groups (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id)
);
COMMENT ON TABLE notes IS 'Notes on customers and deals. A note''s text is here alone: it stands in no history.';
COMMENT ON COLUMN notes.body_key IS 'The text in the form in which it is searched: any case is the same.';
COMMENT ON COLUMN notes.permit_status IS 'Who may read: 1 everybody, 2 the owner, 3 the owner and a group, 4 the owner and users; whether or not they may read what the note is on.';
CREATE INDEX notes_customer ON notes (org_id, customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX notes_deal ON notes (org_id, deal_id, id) WHERE deal_id IS NOT NULL;
