-- +goose Up
-- One row per request key: the reply is stored in the transaction that had the effect, so a crash leaves both or neither.
CREATE TABLE platform.idempotency (
    principal    text NOT NULL CHECK (length(principal) BETWEEN 1 AND 200),
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash text NOT NULL,
    status       int NOT NULL CHECK (status BETWEEN 100 AND 599),
    body         bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT idempotency_once PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_by_age ON platform.idempotency (created_at);
GRANT SELECT, INSERT, DELETE ON platform.idempotency TO cursus_app;

