-- The global tables get their wall, too. A session that has said `app.bound = 'on'` (each connection of
-- a server does) sees an org only in a transaction of it, or one that names its slug or public id, or
-- one that walks over all orgs; and sign-in failures only in a transaction that signs somebody in.
--
-- A server of the version before says nothing, and goes on as it did beside the new one.
CREATE FUNCTION is_unbound() RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(current_setting('app.bound', true), '') <> 'on';

CREATE TABLE sign_in_networks (
    subject bytea PRIMARY KEY,
    last_signed_in_at timestamptz NOT NULL
);
COMMENT ON TABLE sign_in_networks IS 'From where somebody has signed in lately. Global: sign-in knows no org yet';
COMMENT ON COLUMN sign_in_networks.subject IS 'A hash of org, user and network';
CREATE INDEX sign_in_networks_age ON sign_in_networks (last_signed_in_at);
CREATE INDEX sign_in_failures_age ON sign_in_failures (last_failed_at);

DO $$
DECLARE
    global regclass;
BEGIN
    FOREACH global IN ARRAY ARRAY['orgs', 'sign_in_failures', 'sign_in_networks']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', global);
        EXECUTE format('CREATE POLICY unbound ON %s USING (is_unbound())', global);
    END LOOP;
END $$;

CREATE POLICY own_org ON orgs
    USING (id = NULLIF(current_setting('app.org_id', true), '')::uuid);
CREATE POLICY named ON orgs FOR SELECT
    USING (current_setting('app.org_name', true) IN (slug, public_id));
CREATE POLICY queues ON orgs FOR SELECT
    USING (current_setting('app.scope', true) = 'queues');

CREATE POLICY sign_in ON sign_in_failures USING (current_setting('app.scope', true) = 'sign_in');
CREATE POLICY sign_in ON sign_in_networks USING (current_setting('app.scope', true) = 'sign_in');
