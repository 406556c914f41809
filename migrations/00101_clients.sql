-- +goose Up
-- A client is a system that speaks to us: of a school, of a company, or of the institute itself. It acts as a person of its own, whose
-- rights are those of any person: nothing below asks whether a human or a machine is at the door.
CREATE TABLE identity.clients (
    id           text PRIMARY KEY CHECK (id LIKE 'cli\_%'),
    organisation text CONSTRAINT organisation_known REFERENCES identity.organisations, -- null: the institute
    name         text NOT NULL CONSTRAINT client_name_length CHECK (length(name) BETWEEN 1 AND 100),
    person_id    text NOT NULL UNIQUE REFERENCES identity.people,
    roles        text[] NOT NULL,
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    networks     cidr[] NOT NULL DEFAULT '{}', -- none: from everywhere
    per_minute   int NOT NULL CONSTRAINT client_rate CHECK (per_minute BETWEEN 1 AND 100000),
    version      int NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX clients_by_organisation ON identity.clients (organisation);

-- Two keys live at a time: the one in use and the one that comes after it. The place is what holds that.
CREATE TABLE identity.keys (
    id           text PRIMARY KEY CHECK (id LIKE 'key\_%'),
    client_id    text NOT NULL REFERENCES identity.clients,
    place        int NOT NULL CHECK (place IN (1, 2)),
    prefix       text NOT NULL UNIQUE CHECK (length(prefix) BETWEEN 8 AND 40), -- what may be shown of it
    hash         bytea NOT NULL CONSTRAINT key_hash_once UNIQUE CHECK (length(hash) = 32),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    used_at      timestamptz,
    used_from    text CHECK (length(used_from) <= 100),
    CHECK (expires_at > created_at)
);
CREATE UNIQUE INDEX two_live_keys ON identity.keys (client_id, place) WHERE ended_at IS NULL;

-- A token that was got for a key ends with it.
ALTER TABLE identity.tokens ADD COLUMN key_id text REFERENCES identity.keys;
CREATE INDEX tokens_by_key ON identity.tokens (key_id) WHERE key_id IS NOT NULL;

ALTER TABLE identity.clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE identity.keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.clients TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON identity.keys TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON identity.clients, identity.keys TO cursus_app;
GRANT UPDATE (name, scopes, networks, per_minute, version, ended_at) ON identity.clients TO cursus_app;
GRANT UPDATE (ended_at, used_at, used_from) ON identity.keys TO cursus_app;
