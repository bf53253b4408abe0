DO $$
DECLARE
    policy record;
BEGIN
    FOR policy IN
        SELECT polname, polrelid::regclass AS tenant FROM pg_policy WHERE polname IN ('own_org', 'queues')
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', policy.polname, policy.tenant);
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', policy.tenant);
    END LOOP;
END $$;
DROP FUNCTION open_to_queues(regclass);
DROP FUNCTION secure_org_tables();
