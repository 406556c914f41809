-- +goose Up
-- By which names a provider tells what it says of people, and which of its groups hint at which role of ours.
ALTER TABLE identity.providers ADD COLUMN claims jsonb NOT NULL DEFAULT
    '{"email": "email", "verified": "email_verified", "name": "name", "given": "given_name", "family": "family_name"}';
GRANT UPDATE (claims) ON identity.providers TO cursus_app;

-- What the groups of people at a provider hint at, as it last said. Nobody has a role by that: who gives roles sees it.
CREATE TABLE identity.role_hints (
    provider   text NOT NULL REFERENCES identity.providers,
    person_id  text NOT NULL REFERENCES identity.people,
    role       text NOT NULL CHECK (length(role) BETWEEN 1 AND 40),
    group_name text NOT NULL CHECK (length(group_name) BETWEEN 1 AND 255),
    said_at    timestamptz NOT NULL,
    PRIMARY KEY (provider, person_id, role, group_name)
);
CREATE INDEX role_hints_by_person ON identity.role_hints (person_id);
ALTER TABLE identity.role_hints ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.role_hints TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON identity.role_hints FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT, DELETE ON identity.role_hints TO cursus_app;
