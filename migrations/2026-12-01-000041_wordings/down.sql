-- A message of a text gets it back. One of a template that is not sent yet cannot be rendered here:
-- it is cancelled, and shows the template.
ALTER TABLE outbox NO FORCE ROW LEVEL SECURITY;
ALTER TABLE wordings NO FORCE ROW LEVEL SECURITY;
UPDATE outbox SET status = 'cancelled', claim_id = NULL
WHERE merge_fields IS NOT NULL AND status IN ('pending', 'sending', 'dead');
UPDATE outbox SET subject = coalesce(outbox.subject, wordings.subject),
    html = coalesce(outbox.html, wordings.html), text = coalesce(outbox.text, wordings.text)
FROM wordings WHERE wordings.org_id = outbox.org_id AND wordings.id = outbox.wording_id;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
DROP INDEX outbox_wording;
ALTER TABLE outbox
    DROP CONSTRAINT outbox_merged_into_a_wording,
    DROP COLUMN wording_id,
    DROP COLUMN merge_fields;
DROP TABLE wordings;
COMMENT ON TABLE outbox IS 'Messages to be sent, rendered; written in the transaction that causes them.';
COMMENT ON COLUMN outbox.text IS 'An e-mail''s text part, or an SMS''s content.';
