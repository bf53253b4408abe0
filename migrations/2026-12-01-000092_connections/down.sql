DROP TABLE connection_runs;
DROP TABLE connection_cursors;
DROP TABLE connection_tokens;
DROP TABLE connections;
