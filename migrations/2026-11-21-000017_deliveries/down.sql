ALTER TABLE deliveries DROP COLUMN respond_async, DROP COLUMN replay_of, DROP COLUMN unresolved;
DROP INDEX deliveries_pending, deliveries_not_succeeded;
