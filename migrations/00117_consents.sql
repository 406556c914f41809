-- +goose Up
-- What people agree to, and that they did not or do no more: each word of theirs is a row, and the last one of a purpose holds.
CREATE SCHEMA privacy;
GRANT USAGE ON SCHEMA privacy TO cursus_app;

CREATE TABLE privacy.consents (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id text NOT NULL REFERENCES identity.people,
    purpose   text NOT NULL CONSTRAINT purpose_known CHECK (purpose ~ '^[a-z_]{1,40}$'),
    text      text NOT NULL CHECK (length(text) BETWEEN 1 AND 40), -- version of the text that she was shown
    given     boolean NOT NULL,
    at        timestamptz NOT NULL,
    said_by   text NOT NULL CHECK (length(said_by) BETWEEN 1 AND 200), -- herself, or the house for a link in a mail
    origin    text NOT NULL DEFAULT '' CHECK (length(origin) <= 100)   -- network address; wiped by the retention schedule
);
CREATE INDEX consents_of_person ON privacy.consents (person_id, purpose, seq DESC);

ALTER TABLE privacy.consents ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON privacy.consents TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON privacy.consents FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT ON privacy.consents TO cursus_app;
GRANT UPDATE (origin) ON privacy.consents TO cursus_app;
