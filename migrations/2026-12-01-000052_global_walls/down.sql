DO $$
DECLARE
    wall record;
BEGIN
    FOR wall IN SELECT policyname, tablename FROM pg_policies
                WHERE schemaname = current_schema() AND tablename IN ('orgs', 'sign_in_failures') LOOP
        EXECUTE format('DROP POLICY %I ON %I', wall.policyname, wall.tablename);
    END LOOP;
END $$;
ALTER TABLE orgs DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_in_failures DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
DROP INDEX sign_in_failures_age;
DROP TABLE sign_in_networks;
DROP FUNCTION is_unbound();
