CREATE TABLE deals (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    deal_id text NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    value numeric(18, 4) CHECK (value >= 0),
    currency text NOT NULL,
    description text,
    stage_id uuid NOT NULL,
    category_id uuid,
    package_id uuid,
    close_date timestamptz,
    deal_with_id uuid,
    cus_fields jsonb NOT NULL,
    permit_status smallint NOT NULL CHECK (permit_status BETWEEN 1 AND 4),
    permit_group_id uuid,
    permit_user_ids uuid[] NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT deals_deal_id_unique UNIQUE (org_id, deal_id),
    FOREIGN KEY (org_id, stage_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, category_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, package_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, currency) REFERENCES org_currencies (org_id, code),
    FOREIGN KEY (org_id, permit_group_id) REFERENCES groups (org_id, id),
    FOREIGN KEY (org_id, deal_with_id) REFERENCES customers (org_id, id)
);
COMMENT ON TABLE deals IS 'Deals: what an org does business about, and how far it has come.';
COMMENT ON COLUMN deals.deal_id IS 'The visible id: the sender''s own, kept to the letter, or the next number. Elsewhere deal_id is the id (uuid).';
COMMENT ON COLUMN deals.name_key IS 'The name in the form in which it is compared: any case is the same.';
COMMENT ON COLUMN deals.close_date IS 'The instant; a plain date is its start in the org''s time zone.';
COMMENT ON COLUMN deals.deal_with_id IS 'The customer or lead that the deal is with; null after he was erased, which the program sees to.';
COMMENT ON COLUMN deals.cus_fields IS 'Custom field id → value.';
COMMENT ON COLUMN deals.permit_status IS 'Who may read: 1 everybody, 2 the owners, 3 the owners and a group, 4 the owners and users.';
CREATE INDEX deals_name ON deals (org_id, name_key, id);
CREATE INDEX deals_deal_with ON deals (org_id, deal_with_id) WHERE deal_with_id IS NOT NULL;

CREATE TABLE deal_names (
    org_id uuid NOT NULL,
    name_key text NOT NULL,
    deal_id uuid NOT NULL,
    PRIMARY KEY (org_id, name_key),
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE deal_names IS 'Claims to names: a deal made by name alone takes its name here, so that two requests cannot make the same new deal. Deals with ids of their own may share a name, and then one of them holds it, or none.';
CREATE INDEX deal_names_deal ON deal_names (org_id, deal_id);

CREATE TABLE deal_owners (
    org_id uuid NOT NULL,
    deal_id uuid NOT NULL,
    position integer NOT NULL,
    user_id uuid,
    group_id uuid,
    PRIMARY KEY (org_id, deal_id, position),
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, group_id) REFERENCES groups (org_id, id),
    CHECK (num_nonnulls(user_id, group_id) = 1)
);
COMMENT ON TABLE deal_owners IS 'Who owns a deal: users, and groups with all their members. Each is "me" to its permit.';
COMMENT ON COLUMN deal_owners.position IS 'The order in which the sender named them.';
CREATE INDEX deal_owners_user ON deal_owners (org_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX deal_owners_group ON deal_owners (org_id, group_id) WHERE group_id IS NOT NULL;

CREATE TABLE deal_contacts (
    org_id uuid NOT NULL,
    deal_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (org_id, deal_id, customer_id),
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE deal_contacts IS 'The related customers of a deal, beside the one that it is with.';
CREATE INDEX deal_contacts_customer ON deal_contacts (org_id, customer_id);

ALTER TABLE history ADD CONSTRAINT history_deal_fkey
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id) ON DELETE CASCADE;
