-- +goose Up
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO cursus_app;

CREATE TABLE identity.people (
    id         text PRIMARY KEY CHECK (id LIKE 'per\_%'),
    email      text CONSTRAINT person_email_once UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    full_name  text NOT NULL CONSTRAINT person_name_length CHECK (length(full_name) <= 255),
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

-- What a person may do beyond her own affairs.
CREATE TABLE identity.roles (
    person_id  text NOT NULL REFERENCES identity.people,
    role       text NOT NULL CONSTRAINT role_known CHECK (role IN ('catalogue', 'sales', 'refund', 'exams', 'certificates', 'analytics', 'admin')),
    granted_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, role)
);
-- Secrets that stand for a person: a link sent by mail (used once), a browser's session, an API token. Only hashes are kept.
CREATE TABLE identity.tokens (
    id         text PRIMARY KEY CHECK (id LIKE 'tok\_%'),
    hash       bytea NOT NULL CONSTRAINT token_hash_once UNIQUE CHECK (length(hash) = 32),
    kind       text NOT NULL CHECK (kind IN ('link', 'browser', 'api')),
    person_id  text REFERENCES identity.people,
    email      text CHECK (length(email) BETWEEN 3 AND 254), -- of a link: its person may not be there yet
    lang       text NOT NULL DEFAULT 'en' CHECK (lang IN ('en', 'fr')),
    next       text NOT NULL DEFAULT '' CHECK (length(next) <= 400),
    name       text NOT NULL DEFAULT '' CHECK (length(name) <= 100),
    scopes     text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz, -- used, signed out or revoked
    CHECK (kind = 'link' OR person_id IS NOT NULL)
);
CREATE INDEX tokens_by_email ON identity.tokens (email, created_at) WHERE kind = 'link';
ALTER TABLE identity.roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.roles TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON identity.tokens TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT, DELETE ON identity.roles TO cursus_app;
GRANT SELECT, INSERT, UPDATE ON identity.tokens TO cursus_app;
