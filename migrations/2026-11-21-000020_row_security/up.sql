-- The second wall between orgs: what a query forgets to ask for, the database does not show. Every
-- statement runs within a transaction that has set app.org_id (src/db.rs, in_org).
--
-- FORCE binds the owner of the tables as well. Superusers and roles with BYPASSRLS are bound by
-- nothing: a server that connects as one becomes beeiq_server, which `beeiq migrate` makes.
--
-- No policy have the global tables: orgs, which is read to learn whose request it is, and
-- sign_in_failures, since the org that was named there may not exist.

CREATE FUNCTION secure_org_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    tenant regclass;
BEGIN
    FOR tenant IN
        SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'own_org')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', tenant);
        -- In a SELECT: asked once a statement, not once a row. After SET LOCAL the setting is ''.
        EXECUTE format($policy$CREATE POLICY own_org ON %s USING (
            org_id = (SELECT NULLIF(current_setting('app.org_id', true), '')::uuid)
        )$policy$, tenant);
    END LOOP;
END $$;
COMMENT ON FUNCTION secure_org_tables() IS 'Puts every table with an org_id behind row security. A migration that adds such a table ends with SELECT secure_org_tables(). One that changes rows says ALTER TABLE … NO FORCE ROW LEVEL SECURITY before, and FORCE after: it belongs to no org.';

CREATE FUNCTION open_to_queues(queue regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($policy$CREATE POLICY queues ON %s FOR SELECT USING (
        (SELECT current_setting('app.scope', true) = 'queues')
    )$policy$, queue);
END $$;
COMMENT ON FUNCTION open_to_queues(regclass) IS 'Lets a table''s rows of all orgs be read, and only read, by what looks which org''s queue is next (src/db.rs, over_queues).';

SELECT secure_org_tables();
SELECT open_to_queues('outbox');
SELECT open_to_queues('deliveries');
SELECT open_to_queues(pauses) FROM to_regclass('outbox_pauses') AS pauses WHERE pauses IS NOT NULL;
