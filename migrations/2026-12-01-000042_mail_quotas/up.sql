CREATE TABLE mail_quotas (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    day date NOT NULL,
    sent integer NOT NULL,
    PRIMARY KEY (org_id)
);
COMMENT ON TABLE mail_quotas IS 'How many e-mails an org has sent through the instance''s mail server on the last day (UTC) that it sent one.';
SELECT secure_org_tables();
