-- +goose Up
-- The learning platforms (LMS) on which sessions are followed, and what each of them was told of who may follow what. A session names its
-- platform and the key of its course there.
CREATE SCHEMA lms;
GRANT USAGE ON SCHEMA lms TO cursus_app;

CREATE TABLE lms.platforms (
    key          text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 100), -- catalog.sessions.platform
    base_url     text NOT NULL CHECK (length(base_url) BETWEEN 1 AND 500),
    auth         text NOT NULL CHECK (auth IN ('oauth2', 'bearer', 'api_key')),
    client_id    text NOT NULL DEFAULT '' CHECK (length(client_id) <= 200),
    per_minute   int NOT NULL CHECK (per_minute BETWEEN 1 AND 60000), -- calls that it lets us make
    enabled      boolean NOT NULL,
    version      int NOT NULL DEFAULT 1,
    made_at      timestamptz NOT NULL,
    -- How it goes.
    next_call_at timestamptz,                -- the next free place among the calls
    busy_until   timestamptz,                -- a worker speaks to it until then
    closed_until timestamptz,                -- nothing is tried before, because it failed
    failures     int NOT NULL DEFAULT 0,     -- in a row
    failure      text CHECK (length(failure) BETWEEN 1 AND 40),
    answered_at  timestamptz                 -- its last good answer
);

-- What opens it: a hash could not sign in. Sealed under a key that is not in the database.
CREATE TABLE lms.secrets (
    platform text PRIMARY KEY REFERENCES lms.platforms,
    sealed   bytea NOT NULL CHECK (length(sealed) BETWEEN 29 AND 4200)
);

-- What a formula is called there: its course mode. A formula without one opens nothing there.
CREATE TABLE lms.modes (
    platform text NOT NULL REFERENCES lms.platforms,
    formula  text NOT NULL CONSTRAINT mode_of_known_formula REFERENCES offers.formulas,
    mode     text NOT NULL CHECK (mode ~ '^[a-z][a-z0-9_-]{0,99}$'),
    PRIMARY KEY (platform, formula)
);

-- Who a learner is there.
CREATE TABLE lms.usernames (
    platform  text NOT NULL REFERENCES lms.platforms,
    person_id text NOT NULL REFERENCES identity.people,
    username  text NOT NULL CHECK (length(username) BETWEEN 1 AND 150),
    by_staff  boolean NOT NULL, -- or else the platform said it
    PRIMARY KEY (platform, person_id),
    CONSTRAINT username_of_one_person UNIQUE (platform, username)
);

-- One row per enrolment that a platform is to know of: asked counts the changes, and what is wanted is read when the platform is told,
-- so that the latest wins.
CREATE TABLE lms.syncs (
    enrolment_id text PRIMARY KEY REFERENCES enrolment.enrolments,
    platform     text NOT NULL REFERENCES lms.platforms,
    state        text NOT NULL CHECK (state IN ('pending', 'confirmed', 'waiting', 'refused')),
    asked        int NOT NULL DEFAULT 1,
    asked_at     timestamptz NOT NULL,
    due_at       timestamptz,
    step         int NOT NULL DEFAULT 0,          -- attempts since it was asked for
    tried        int NOT NULL DEFAULT 0,          -- attempts in all
    tried_at     timestamptz,
    touched      boolean NOT NULL DEFAULT false,  -- a call may have had an effect
    failure      text CHECK (length(failure) BETWEEN 1 AND 40),
    detail       text NOT NULL DEFAULT '' CHECK (length(detail) <= 300),
    course       text,                            -- what the platform said last
    mode         text,
    active       boolean,
    confirmed_at timestamptz,
    CONSTRAINT unconfirmed_is_due CHECK ((state = 'confirmed') = (due_at IS NULL)),
    CONSTRAINT confirmed_was_said CHECK (state <> 'confirmed' OR active IS NOT NULL AND confirmed_at IS NOT NULL)
);
CREATE INDEX syncs_due ON lms.syncs (platform, due_at, enrolment_id) WHERE state <> 'confirmed';
CREATE INDEX syncs_by_platform ON lms.syncs (platform, enrolment_id);

-- What a platform is to say: the mode of the widest grant that holds and that it knows, or none where all were taken back.
CREATE VIEW lms.wanted WITH (security_invoker = true) AS
SELECT e.id AS enrolment_id, e.learner_id, e.session_id, s.platform, s.platform_key AS course, s.ends_at,
       (SELECT m.mode FROM enrolment.grants g JOIN lms.modes m ON m.platform = s.platform AND m.formula = g.formula
         WHERE g.enrolment_id = e.id AND g.revoked_at IS NULL AND g.hold IS DISTINCT FROM 'all' AND NOT g.suspended
         ORDER BY cardinality(g.entitlements) DESC, g.granted_at DESC, g.id LIMIT 1) AS mode
  FROM enrolment.enrolments e JOIN catalog.sessions s ON s.id = e.session_id
 WHERE s.platform_key <> ''
   AND EXISTS (SELECT 1 FROM enrolment.grants g JOIN lms.modes m ON m.platform = s.platform AND m.formula = g.formula WHERE g.enrolment_id = e.id);

ALTER TABLE lms.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE lms.usernames ENABLE ROW LEVEL SECURITY;
ALTER TABLE lms.syncs ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON lms.secrets TO cursus_app USING (platform.actor() = 'system');
CREATE POLICY house ON lms.usernames TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON lms.syncs TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON lms.usernames FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
CREATE POLICY own ON lms.syncs FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM enrolment.enrolments e WHERE e.id = enrolment_id AND platform.actor() = 'learner:' || e.learner_id));
GRANT SELECT, INSERT, UPDATE ON lms.platforms, lms.secrets TO cursus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON lms.modes, lms.usernames, lms.syncs TO cursus_app;
GRANT SELECT ON lms.wanted TO cursus_app;
