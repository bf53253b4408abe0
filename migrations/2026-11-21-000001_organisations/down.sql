DROP TABLE sign_in_failures, sessions, group_members, groups, users, org_counters, org_settings, orgs;
