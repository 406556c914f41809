-- +goose Up
-- Wrong codes of vouchers, by person and by a hash of the network address, for as long as they count against who tries more.
CREATE TABLE sales.guesses (
    id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who text NOT NULL CHECK (length(who) BETWEEN 1 AND 80),
    at  timestamptz NOT NULL
);
CREATE INDEX guesses_of ON sales.guesses (who, at);
CREATE INDEX guesses_by_time ON sales.guesses (at);
ALTER TABLE sales.guesses ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.guesses TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT, DELETE ON sales.guesses TO cursus_app;
