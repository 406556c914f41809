-- +goose Up
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO cursus_app;

CREATE TABLE identity.people (
    id         text PRIMARY KEY CHECK (id LIKE 'per\_%'),
    email      text CONSTRAINT person_email_once UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    full_name  text NOT NULL CHECK (length(full_name) <= 255),
    lang       text NOT NULL DEFAULT 'en' CHECK (lang IN ('en', 'fr')),
    created_at timestamptz NOT NULL
);
-- A learner as another system knows her: Student ID 42 of FUN is not Student ID 42 of edX.
CREATE TABLE identity.external_ids (
    source    text NOT NULL CHECK (length(source) BETWEEN 1 AND 100),
    subject   text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    person_id text NOT NULL REFERENCES identity.people,
    PRIMARY KEY (source, subject)
);
CREATE INDEX external_ids_by_person ON identity.external_ids (person_id);

ALTER TABLE identity.people ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.external_ids ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.people TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON identity.people FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || id);
CREATE POLICY house ON identity.external_ids TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON identity.external_ids FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT, UPDATE ON identity.people, identity.external_ids TO cursus_app;
