-- Messages say what many others say, too: a text that goes to thousands of numbers, or a template
-- that each fills in for itself. It is kept once, so that a batch writes little however much its
-- messages say; they are rendered when they are sent or shown.

CREATE TABLE wordings (
    org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    subject text,
    html text,
    text text,
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE wordings IS 'What messages say, each once; never changed, and deleted with the last message that says it.';
COMMENT ON COLUMN wordings.id IS 'Made of the words: the same have the same id.';
SELECT secure_org_tables();

ALTER TABLE outbox
    ADD COLUMN wording_id uuid,
    ADD COLUMN merge_fields jsonb,
    ADD FOREIGN KEY (org_id, wording_id) REFERENCES wordings (org_id, id),
    ADD CONSTRAINT outbox_merged_into_a_wording CHECK (merge_fields IS NULL OR wording_id IS NOT NULL);
COMMENT ON TABLE outbox IS 'Messages to be sent, as a wording and what is filled into it; written in the transaction that causes them.';
COMMENT ON COLUMN outbox.wording_id IS 'What it says. Absent in messages from before there were wordings: their own columns say it.';
COMMENT ON COLUMN outbox.merge_fields IS 'What is filled into the wording, which is then a template. Absent once it is sent: then its own columns have what was sent, byte for byte.';
COMMENT ON COLUMN outbox.text IS 'An e-mail''s text part, or an SMS''s content; where it is absent, as subject and html, the wording''s.';
CREATE INDEX outbox_wording ON outbox (org_id, wording_id) WHERE wording_id IS NOT NULL;
