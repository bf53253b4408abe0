CREATE TABLE customers (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('contact', 'account', 'lead')),
    number bigint NOT NULL CHECK (number > 0),
    contact_id text,
    name text NOT NULL,
    name_key text NOT NULL,
    lastname text,
    lastname_key text,
    title text,
    passport text,
    gender smallint NOT NULL CHECK (gender BETWEEN 0 AND 2),
    bg_info text,
    date_of_birth date,
    emails jsonb NOT NULL,
    phones jsonb NOT NULL,
    addresses jsonb NOT NULL,
    websites jsonb NOT NULL,
    im jsonb NOT NULL,
    cus_fields jsonb NOT NULL,
    permit_status smallint NOT NULL CHECK (permit_status BETWEEN 1 AND 4),
    permit_group_id uuid,
    permit_user_ids uuid[] NOT NULL,
    company_id uuid,
    source_id uuid,
    owner_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT customers_code_unique UNIQUE (org_id, kind, number),
    FOREIGN KEY (org_id, permit_group_id) REFERENCES groups (org_id, id),
    FOREIGN KEY (org_id, company_id) REFERENCES customers (org_id, id),
    FOREIGN KEY (org_id, source_id) REFERENCES picklist_entries (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id)
);
COMMENT ON TABLE customers IS 'Contacts (people), accounts (companies) and leads.';
COMMENT ON COLUMN customers.number IS 'The n of PID-n, CID-n, LID-n.';
COMMENT ON COLUMN customers.name_key IS 'The name in the form in which it is compared: any case is the same.';
COMMENT ON COLUMN customers.gender IS '0 male, 1 female, 2 other.';
COMMENT ON COLUMN customers.phones IS 'Array of {type, value, e164}: as typed, and the number meant where it is one.';
COMMENT ON COLUMN customers.cus_fields IS 'Custom field id → value.';
COMMENT ON COLUMN customers.permit_status IS 'Who may read: 1 everybody, 2 the owner, 3 the owner and a group, 4 the owner and users.';
CREATE INDEX customers_name ON customers (org_id, name_key, kind);
CREATE INDEX customers_company ON customers (org_id, company_id) WHERE company_id IS NOT NULL;

CREATE TABLE customer_identities (
    org_id uuid NOT NULL,
    world smallint NOT NULL CHECK (world IN (0, 1)),
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
    value text NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (org_id, world, kind, value),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE customer_identities IS 'Who holds which identifier: the primary key is what makes duplicates impossible, however many processes write.';
COMMENT ON COLUMN customer_identities.world IS '0 contacts and accounts, 1 leads: each is a world of identity.';
COMMENT ON COLUMN customer_identities.kind IS '1 contactId, 2 passport, 3 e-mail, 4 phone; 5 the name of an account, claimed so that two requests cannot make the same new company.';
COMMENT ON COLUMN customer_identities.value IS 'In the form in which it is compared.';
CREATE INDEX customer_identities_customer ON customer_identities (org_id, customer_id);

CREATE TABLE customer_tags (
    org_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    PRIMARY KEY (org_id, customer_id, tag_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, tag_id) REFERENCES tags (org_id, id)
);
COMMENT ON TABLE customer_tags IS 'Which customer has which tag.';
CREATE INDEX customer_tags_tag ON customer_tags (org_id, tag_id);
