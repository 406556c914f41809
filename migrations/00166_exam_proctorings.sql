-- +goose Up
-- An attempt that a provider watches over: what it calls it, what it was told of it, and what its last review says.
CREATE TABLE exams.proctorings (
    attempt_id   text PRIMARY KEY REFERENCES exams.attempts,
    learner_id   text NOT NULL REFERENCES identity.people,
    provider     text NOT NULL REFERENCES exams.providers,
    exam_id      text NOT NULL REFERENCES exams.exams,
    external_id  text CHECK (length(external_id) BETWEEN 1 AND 200), -- null: it does not know of it yet
    launch_url   text NOT NULL DEFAULT '' CHECK (length(launch_url) <= 2000),
    told         text NOT NULL DEFAULT '' CHECK (told IN ('', 'started', 'submitted', 'error', 'canceled')),
    due_at       timestamptz,            -- there is something to tell, from then on
    leased_until timestamptz,            -- a worker speaks of it
    tried        int NOT NULL DEFAULT 0, -- in vain, in a row
    failure      text NOT NULL DEFAULT '' CHECK (length(failure) <= 300),
    verdict      text NOT NULL DEFAULT '' CHECK (verdict IN ('', 'passed', 'violation', 'suspicious', 'not_reviewed')),
    verdict_at   timestamptz,
    CONSTRAINT attempt_of_provider UNIQUE (provider, external_id),
    CHECK ((verdict = '') = (verdict_at IS NULL))
);
CREATE INDEX proctorings_due ON exams.proctorings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX proctorings_by_learner ON exams.proctorings (learner_id);
GRANT UPDATE (external_id, launch_url, told, due_at, leased_until, tried, failure, verdict, verdict_at) ON exams.proctorings TO cursus_app;

-- What providers say, byte for byte as it was signed, once. One of an attempt that nobody here knows is parked, and looked at again.
CREATE TABLE exams.provider_events (
    id          text PRIMARY KEY CHECK (id LIKE 'pev\_%'),
    provider    text NOT NULL REFERENCES exams.providers,
    message     text NOT NULL CHECK (length(message) BETWEEN 1 AND 255), -- its id; the provider gives it
    digest      bytea NOT NULL,          -- of what was said: another word under the same id is a forgery
    attempt     text NOT NULL CHECK (length(attempt) BETWEEN 1 AND 200), -- as the provider calls it
    subject     text NOT NULL DEFAULT '' CHECK (length(subject) <= 255), -- who sat, as the provider knows her; empty: it does not say
    event       text NOT NULL CHECK (event IN ('ready', 'start', 'submit', 'fail', 'review', 'flag')),
    verdict     text NOT NULL DEFAULT '' CHECK (verdict IN ('', 'passed', 'violation', 'suspicious', 'not_reviewed')),
    severity    int NOT NULL DEFAULT 0 CHECK (severity BETWEEN 0 AND 100),
    said_at     timestamptz NOT NULL,    -- of two reviews the later counts
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
    raw         bytea NOT NULL,
    state       text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'applied', 'late', 'parked')),
    learner_id  text REFERENCES identity.people, -- known once it is applied
    received_at timestamptz NOT NULL,
    worked_at   timestamptz,
    due_at      timestamptz,             -- of one that is parked
    tried       int NOT NULL DEFAULT 0,
    CONSTRAINT message_of_provider UNIQUE (provider, message)
);
CREATE INDEX provider_events_by_attempt ON exams.provider_events (provider, attempt);
CREATE INDEX provider_events_by_provider ON exams.provider_events (provider, id DESC);
CREATE INDEX provider_events_parked ON exams.provider_events (due_at) WHERE state = 'parked';
CREATE INDEX provider_events_by_learner ON exams.provider_events (learner_id) WHERE learner_id IS NOT NULL;
GRANT UPDATE (state, learner_id, worked_at, due_at, tried, raw, note) ON exams.provider_events TO cursus_app;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['proctorings', 'provider_events'] LOOP
        EXECUTE format('ALTER TABLE exams.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON exams.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY own ON exams.%I FOR SELECT TO cursus_app USING (platform.actor() = ''learner:'' || learner_id)', t);
        EXECUTE format('GRANT SELECT, INSERT ON exams.%I TO cursus_app', t);
    END LOOP;
END $$;
-- +goose StatementEnd
