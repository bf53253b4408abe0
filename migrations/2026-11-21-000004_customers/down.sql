DROP TABLE customer_tags, customer_identities, customers;
