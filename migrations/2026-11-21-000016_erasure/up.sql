-- Erasing looks for what repeats the deliveries that a customer was in.
CREATE INDEX deliveries_repeats ON deliveries (org_id, repeats) WHERE repeats IS NOT NULL;
