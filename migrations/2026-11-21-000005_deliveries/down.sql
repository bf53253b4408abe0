DROP TABLE outbox, history, deliveries;
