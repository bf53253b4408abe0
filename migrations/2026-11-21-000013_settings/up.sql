-- Currencies are listed, and told of, as all other settings are.
ALTER TABLE org_currencies
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
UPDATE org_currencies SET created_at = orgs.created_at FROM orgs WHERE orgs.id = org_id;
ALTER TABLE org_currencies
    ALTER COLUMN id DROP DEFAULT,
    ALTER COLUMN created_at DROP DEFAULT,
    ADD CONSTRAINT org_currencies_id_unique UNIQUE (org_id, id);
COMMENT ON COLUMN org_currencies.id IS 'Time-ordered: the order of lists. Everything else names a currency by its code.';

-- What refers to a setting, so that deleting one need not read every record of the org.
DO $$ BEGIN
    CREATE INDEX listeners_default_tag ON listeners (org_id, default_tag_id) WHERE default_tag_id IS NOT NULL;
    CREATE INDEX customers_source ON customers (org_id, source_id) WHERE source_id IS NOT NULL;
    CREATE INDEX customers_owner ON customers (org_id, owner_id);
    CREATE INDEX customers_permit_group ON customers (org_id, permit_group_id) WHERE permit_group_id IS NOT NULL;
    CREATE INDEX customers_permit_users ON customers (org_id, id) WHERE permit_status = 4;
    CREATE INDEX deals_stage ON deals (org_id, stage_id);
    CREATE INDEX deals_category ON deals (org_id, category_id) WHERE category_id IS NOT NULL;
    CREATE INDEX deals_package ON deals (org_id, package_id) WHERE package_id IS NOT NULL;
    CREATE INDEX deals_currency ON deals (org_id, currency);
    CREATE INDEX deals_permit_group ON deals (org_id, permit_group_id) WHERE permit_group_id IS NOT NULL;
    CREATE INDEX deals_permit_users ON deals (org_id, id) WHERE permit_status = 4;
    CREATE INDEX notes_channel ON notes (org_id, channel_id) WHERE channel_id IS NOT NULL;
    CREATE INDEX notes_owner ON notes (org_id, owner_id);
    CREATE INDEX notes_permit_group ON notes (org_id, permit_group_id) WHERE permit_group_id IS NOT NULL;
    CREATE INDEX notes_permit_users ON notes (org_id, id) WHERE permit_status = 4;
    CREATE INDEX tickets_channel ON tickets (org_id, channel_id) WHERE channel_id IS NOT NULL;
    CREATE INDEX tickets_owner ON tickets (org_id, owner_id);
    CREATE INDEX tickets_permit_group ON tickets (org_id, permit_group_id) WHERE permit_group_id IS NOT NULL;
    CREATE INDEX tickets_sla ON tickets (org_id, sla_id) WHERE sla_id IS NOT NULL;
    CREATE INDEX history_actor ON history (org_id, actor_id);
    CREATE INDEX outbox_sender ON outbox (org_id, sender_id) WHERE sender_id IS NOT NULL;
END $$;
