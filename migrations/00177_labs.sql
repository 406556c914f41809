-- +goose Up
CREATE SCHEMA labs;
GRANT USAGE ON SCHEMA labs TO cursus_app;

-- Who hosts the machines. The secret, sealed, signs what they tell us and what we ask of them.
CREATE TABLE labs.providers (
    key           text PRIMARY KEY CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    title         text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    shape         text NOT NULL CHECK (shape IN ('jwt', 'lti')),
    launch_url    text NOT NULL CHECK (length(launch_url) BETWEEN 1 AND 500), -- where a launch is posted to
    login_url     text NOT NULL DEFAULT '' CHECK (length(login_url) <= 500), -- lti: where a login is initiated
    client_id     text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 200), -- by which the provider knows us; the audience of a token
    deployment_id text NOT NULL DEFAULT '' CHECK (length(deployment_id) <= 200),
    stop_url      text NOT NULL CHECK (length(stop_url) BETWEEN 1 AND 500),
    sealed        bytea NOT NULL,
    version       int NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    CHECK ((shape = 'lti') = (login_url <> '' AND deployment_id <> ''))
);
ALTER TABLE labs.providers ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON labs.providers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON labs.providers TO cursus_app;
GRANT UPDATE (title, shape, launch_url, login_url, client_id, deployment_id, stop_url, sealed, version) ON labs.providers TO cursus_app;

-- A lab of a session. A minute costs thousandths of a minor unit.
CREATE TABLE labs.labs (
    id            text PRIMARY KEY CHECK (id LIKE 'lab\_%'),
    session_id    text NOT NULL REFERENCES catalog.sessions,
    title_en      text NOT NULL DEFAULT '' CHECK (length(title_en) <= 200),
    title_fr      text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 200),
    week          int NOT NULL CHECK (week BETWEEN 0 AND 53),
    provider      text NOT NULL CONSTRAINT lab_provider_known REFERENCES labs.providers,
    resource      text NOT NULL CHECK (length(resource) BETWEEN 1 AND 200), -- what it is called there
    quota_minutes int NOT NULL CHECK (quota_minutes BETWEEN 1 AND 100000), -- of each learner
    idle_minutes  int NOT NULL CHECK (idle_minutes BETWEEN 1 AND 1440),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    cost_milli    bigint NOT NULL CHECK (cost_milli BETWEEN 0 AND 1000000000),
    entitlement   text NOT NULL CHECK (length(entitlement) BETWEEN 1 AND 40), -- what a formula opens that leads here
    open          boolean NOT NULL,
    version       int NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    CHECK (title_en <> '' OR title_fr <> '')
);
CREATE INDEX labs_by_session ON labs.labs (session_id, week, id);
GRANT SELECT, INSERT ON labs.labs TO cursus_app;
GRANT UPDATE (title_en, title_fr, week, provider, resource, quota_minutes, idle_minutes, currency, cost_milli, entitlement, open, version) ON labs.labs TO cursus_app;

-- A launch and what came of it. What a minute costs and how long may be idle are those of its first token, whatever the lab says later.
CREATE TABLE labs.launches (
    id            text PRIMARY KEY CHECK (id LIKE 'lln\_%'),
    lab_id        text NOT NULL REFERENCES labs.labs,
    provider      text NOT NULL REFERENCES labs.providers,
    enrolment_id  text NOT NULL REFERENCES enrolment.enrolments,
    learner_id    text NOT NULL REFERENCES identity.people,
    currency      text NOT NULL,
    cost_milli    bigint NOT NULL,
    idle_minutes  int NOT NULL,
    state         text NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'running', 'ended')),
    tokens        int NOT NULL DEFAULT 0, -- that were asked for: each has its number in its id
    issued_at     timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL, -- of the last token
    redeemed      int NOT NULL DEFAULT 0, -- the last token that was given out
    started_at    timestamptz,
    last_at       timestamptz, -- of the last sign of the learner
    ended_at      timestamptz,
    help_since    timestamptz, -- since when she asks for help; null: she does not, or got it
    stop_asked_at timestamptz,
    stop_reason   text NOT NULL DEFAULT '' CHECK (stop_reason IN ('', 'idle', 'quota', 'access', 'teacher')),
    minutes       int NOT NULL DEFAULT 0 CHECK (minutes >= 0),
    cost_minor    bigint NOT NULL DEFAULT 0 CHECK (cost_minor >= 0), -- as it is in the ledger
    costing       int NOT NULL DEFAULT 0, -- how often the cost was posted: part of the reference
    CHECK (redeemed <= tokens),
    CHECK ((state = 'issued') = (started_at IS NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_open_launch ON labs.launches (lab_id, enrolment_id) WHERE state <> 'ended';
CREATE INDEX launches_running ON labs.launches (last_at) WHERE state = 'running';
CREATE INDEX launches_by_lab ON labs.launches (lab_id, id);
CREATE INDEX launches_by_enrolment ON labs.launches (enrolment_id, lab_id);
CREATE INDEX launches_by_learner ON labs.launches (learner_id);
GRANT SELECT, INSERT ON labs.launches TO cursus_app;
GRANT UPDATE (currency, cost_milli, idle_minutes, provider, state, tokens, expires_at, redeemed, started_at, last_at, ended_at, help_since, stop_asked_at, stop_reason, minutes, cost_minor, costing)
    ON labs.launches TO cursus_app;

-- What providers told, byte for byte, each once; and what the house itself adds (help that a teacher gave). What cannot be applied is kept with
-- the problem and tells of nobody.
CREATE TABLE labs.events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider    text NOT NULL REFERENCES labs.providers,
    event_id    text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 200),
    launch_id   text REFERENCES labs.launches,
    learner_id  text REFERENCES identity.people,
    kind        text NOT NULL DEFAULT '' CHECK (kind IN ('', 'started', 'activity', 'help_asked', 'help_given', 'stopped')),
    happened_at timestamptz,
    said_by     text NOT NULL,
    problem     text NOT NULL DEFAULT '' CHECK (length(problem) <= 40),
    raw         bytea NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT lab_event_once UNIQUE (provider, event_id),
    CHECK (problem <> '' OR launch_id IS NOT NULL AND learner_id IS NOT NULL AND kind <> '' AND happened_at IS NOT NULL)
);
CREATE INDEX events_by_launch ON labs.events (launch_id, seq);
CREATE INDEX events_by_learner ON labs.events (learner_id);
CREATE INDEX events_parked ON labs.events (provider) WHERE problem <> '';
CREATE TRIGGER events_append_only BEFORE DELETE OR TRUNCATE ON labs.events FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER events_only_wipes BEFORE UPDATE ON labs.events FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('raw');
GRANT SELECT, INSERT ON labs.events TO cursus_app;
GRANT UPDATE (raw) ON labs.events TO cursus_app;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['launches', 'events'] LOOP
        EXECUTE format('ALTER TABLE labs.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON labs.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY own ON labs.%I FOR SELECT TO cursus_app USING (platform.actor() = ''learner:'' || learner_id)', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- Whether the bank asks for the money of an enrolment back: a learner does not see the payment of her school.
-- +goose StatementBegin
CREATE FUNCTION labs.disputed(enrolment text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT 1 FROM enrolment.grants g JOIN sales.orders o ON o.id = g.order_id
                    WHERE g.enrolment_id = enrolment AND g.revoked_at IS NULL AND o.state = 'disputed')
$$;
-- +goose StatementEnd

INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES ('cost:lab', '611200', 'Labs', 'Travaux pratiques en ligne');
