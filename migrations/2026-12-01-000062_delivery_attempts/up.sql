ALTER TABLE deliveries ADD COLUMN attempts integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN deliveries.attempts IS 'How often applying a deferred delivery was begun without being brought to an end that was not the environment''s: counted before each try, so that one that ends the process is not tried for ever.';
