-- +goose Up
-- OpenID providers at which people may sign in. Who signed in there before is found in external_ids, under the provider's id.
CREATE TABLE identity.providers (
    id           text PRIMARY KEY CHECK (id LIKE 'idp\_%'),
    name         text NOT NULL CONSTRAINT provider_name_length CHECK (length(name) BETWEEN 1 AND 100), -- what stands on its button
    issuer       text NOT NULL CHECK (length(issuer) BETWEEN 10 AND 500),
    client_id    text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 255),
    secret       bytea NOT NULL,             -- sealed
    people       text NOT NULL CHECK (people IN ('everybody', 'learners', 'staff')),
    domains      text[] NOT NULL DEFAULT '{}', -- of addresses that it may speak for; none: of all
    organisation text CONSTRAINT organisation_known REFERENCES identity.organisations, -- whose students' keys it tells, in
    key_claim    text NOT NULL DEFAULT '' CHECK (length(key_claim) <= 100),            -- this claim
    enabled      boolean NOT NULL,
    version      int NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    CONSTRAINT provider_once UNIQUE (issuer, client_id),
    CHECK ((organisation IS NULL) = (key_claim = ''))
);
ALTER TABLE identity.providers ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.providers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON identity.providers TO cursus_app;
GRANT UPDATE (name, issuer, client_id, secret, people, domains, organisation, key_claim, enabled, version) ON identity.providers TO cursus_app;
-- One person has one id at a provider: an address that was given to somebody else there does not open her account.
CREATE UNIQUE INDEX one_subject_per_provider ON identity.external_ids (source, person_id) WHERE source LIKE 'idp\_%';

-- When the person of a session proved last who she is; null: nobody can say.
ALTER TABLE identity.tokens ADD COLUMN proven_at timestamptz;
