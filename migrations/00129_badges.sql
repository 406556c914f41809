-- +goose Up
-- Certificates as Open Badges: the keys that sign them, and what was signed.
CREATE SCHEMA badges;
GRANT USAGE ON SCHEMA badges TO cursus_app;

-- One key signs; those before it stay, so that what they signed can be verified for ever.
CREATE TABLE badges.keys (
    id         text PRIMARY KEY CHECK (id LIKE 'bky\_%'),
    jwk        jsonb NOT NULL CHECK (NOT jwk ? 'd'), -- the public half
    sealed     bytea NOT NULL,                       -- the private one
    made_at    timestamptz NOT NULL,
    retired_at timestamptz CHECK (retired_at >= made_at)
);
CREATE UNIQUE INDEX one_key_signs ON badges.keys ((true)) WHERE retired_at IS NULL;

-- A place in a status list says nothing about when a badge was made, or whose it is: it is drawn at random.
CREATE TABLE badges.credentials (
    certificate_id text PRIMARY KEY REFERENCES certificates.certificates,
    list           int NOT NULL CHECK (list > 0),
    place          int NOT NULL CHECK (place BETWEEN 0 AND 131071),
    key_id         text NOT NULL REFERENCES badges.keys,
    jws            text NOT NULL,
    signed_at      timestamptz NOT NULL,
    CONSTRAINT one_badge_per_place UNIQUE (list, place)
);
CREATE TRIGGER credentials_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON badges.credentials
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE badges.keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE badges.credentials ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON badges.keys TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON badges.credentials TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON badges.credentials FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM certificates.certificates c WHERE c.id = certificate_id AND platform.actor() = 'learner:' || c.learner_id));
GRANT SELECT, INSERT ON badges.keys, badges.credentials TO cursus_app;
GRANT UPDATE (retired_at) ON badges.keys TO cursus_app;
