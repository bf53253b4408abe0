ALTER TABLE history DROP CONSTRAINT history_deal_fkey;
DROP TABLE deal_contacts, deal_owners, deal_names, deals;
