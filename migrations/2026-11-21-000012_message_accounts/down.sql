DROP TABLE message_accounts;
