ALTER TABLE history DROP CONSTRAINT history_ticket_fkey;
DROP TABLE ticket_tags, tickets;
