DROP INDEX activities_open_conversations;
DROP TABLE source_tokens;
DROP POLICY queues ON connection_cursors;
DROP POLICY queues ON connections;
