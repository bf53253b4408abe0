DROP TABLE listener_tokens, listeners;
