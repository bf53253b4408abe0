ALTER TABLE deliveries ADD COLUMN attempts smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN deliveries.attempts IS 'How often applying it was begun without an end that is the environment''s; counted before each try, so that a delivery that kills the process is found.';
