-- +goose Up
-- What an exam asks for is data of the exam; without a row, the exam of a session asks for what every exam asked for before.
CREATE TABLE exams.exams (
    id             text PRIMARY KEY CHECK (id LIKE 'exm\_%'),
    session_id     text NOT NULL REFERENCES catalog.sessions,
    kind           text NOT NULL CHECK (kind IN ('practice', 'proctored', 'production')),
    title_en       text NOT NULL DEFAULT '' CHECK (length(title_en) <= 200),
    title_fr       text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 200),
    opens_at       timestamptz,
    closes_at      timestamptz,
    grade_ppm      int CHECK (grade_ppm BETWEEN 0 AND 1000000), -- null: the threshold of the session
    diligence      boolean NOT NULL DEFAULT false,
    identity       boolean NOT NULL DEFAULT false,
    practice       boolean NOT NULL DEFAULT false, -- the practice exam comes first
    prerequisites  text[] NOT NULL DEFAULT '{}' CHECK (cardinality(prerequisites) <= 20), -- keys of courses
    max_attempts   int NOT NULL DEFAULT 2 CHECK (max_attempts BETWEEN 1 AND 20),
    wait_days      int NOT NULL DEFAULT 0 CHECK (wait_days BETWEEN 0 AND 365),
    limit_minutes  int NOT NULL DEFAULT 60 CHECK (limit_minutes BETWEEN 1 AND 1440),
    pass_ppm       int NOT NULL DEFAULT 500000 CHECK (pass_ppm BETWEEN 0 AND 1000000),
    cancel_hours   int NOT NULL DEFAULT 24 CHECK (cancel_hours BETWEEN 0 AND 720),
    offer_hours    int NOT NULL DEFAULT 24 CHECK (offer_hours BETWEEN 1 AND 168),
    appeal_days    int NOT NULL DEFAULT 14 CHECK (appeal_days BETWEEN 0 AND 90),
    version        int NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    CONSTRAINT one_exam_per_kind UNIQUE (session_id, kind),
    CONSTRAINT exam_window_ordered CHECK (closes_at > opens_at)
);
GRANT SELECT, INSERT ON exams.exams TO cursus_app;
GRANT UPDATE (title_en, title_fr, opens_at, closes_at, grade_ppm, diligence, identity, practice, prerequisites, max_attempts, wait_days, limit_minutes,
    pass_ppm, cancel_hours, offer_hours, appeal_days, version) ON exams.exams TO cursus_app;

ALTER TABLE exams.sittings
    ADD COLUMN kind text NOT NULL DEFAULT 'proctored' CHECK (kind IN ('practice', 'proctored', 'production')),
    DROP CONSTRAINT one_sitting_per_attempt,
    ADD CONSTRAINT one_sitting_per_attempt UNIQUE (enrolment_id, kind, attempt);
ALTER TABLE exams.sittings DROP CONSTRAINT sittings_attempt_check, ADD CONSTRAINT sittings_attempt_check CHECK (attempt BETWEEN 1 AND 1000);
DROP INDEX exams.one_open_sitting;
CREATE UNIQUE INDEX one_open_sitting ON exams.sittings (enrolment_id, kind) WHERE state = 'booked';

-- What was decided, and when it changed.
CREATE TABLE exams.decisions (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    kind         text NOT NULL CHECK (kind IN ('practice', 'proctored', 'production')),
    eligible     boolean NOT NULL,
    marks        text NOT NULL,  -- every condition with + or -, to see whether anything changed
    conditions   jsonb NOT NULL,
    review_at    timestamptz,    -- when time alone may change it
    cause        text NOT NULL CHECK (length(cause) <= 200),
    decided_at   timestamptz NOT NULL
);
CREATE INDEX decisions_by_enrolment ON exams.decisions (enrolment_id, kind, seq DESC);
CREATE INDEX decisions_by_review ON exams.decisions (review_at) WHERE review_at IS NOT NULL;
CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exams.decisions FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- Who proved who she is; the latest row holds.
CREATE TABLE exams.identity_checks (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    learner_id  text NOT NULL REFERENCES identity.people,
    method      text NOT NULL CHECK (method IN ('document', 'in_person', 'provider', 'platform')),
    verified    boolean NOT NULL,
    valid_until timestamptz NOT NULL,
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX identity_checks_by_learner ON exams.identity_checks (learner_id, seq DESC);

-- Who may not sit, by a decision of staff; the latest row holds.
CREATE TABLE exams.blocks (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    blocked      boolean NOT NULL,
    until        timestamptz,
    reason       text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX blocks_by_enrolment ON exams.blocks (enrolment_id, seq DESC);

-- Who gets more time; the latest row holds.
CREATE TABLE exams.accommodations (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    extra_minutes int NOT NULL CHECK (extra_minutes BETWEEN 0 AND 1440),
    percent      int NOT NULL CHECK (percent BETWEEN 100 AND 400), -- of the usual time
    reason       text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX accommodations_by_enrolment ON exams.accommodations (enrolment_id, seq DESC);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['identity_checks', 'blocks', 'accommodations', 'decisions'] LOOP
        EXECUTE format('ALTER TABLE exams.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON exams.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY own ON exams.%I FOR SELECT TO cursus_app USING (platform.actor() = ''learner:'' || learner_id)', t);
        EXECUTE format('GRANT SELECT, INSERT ON exams.%I TO cursus_app', t);
    END LOOP;
    -- A reason may be about somebody's health: an erasure wipes it, and nothing else changes.
    FOREACH t IN ARRAY ARRAY['identity_checks', 'blocks', 'accommodations'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON exams.%I FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change()', t || '_append_only', t);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON exams.%I FOR EACH ROW EXECUTE FUNCTION platform.only_wipes(%L)', t || '_only_wipes', t,
            CASE t WHEN 'identity_checks' THEN 'note' ELSE 'reason' END);
        EXECUTE format('GRANT UPDATE (%I) ON exams.%I TO cursus_app', CASE t WHEN 'identity_checks' THEN 'note' ELSE 'reason' END, t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- A learner does not see the order of an organisation that pays for her place, but has to be told why she cannot sit.
-- +goose StatementBegin
CREATE FUNCTION exams.disputed(enrolment text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT 1 FROM enrolment.grants g JOIN sales.orders o ON o.id = g.order_id
                    WHERE g.enrolment_id = enrolment AND g.revoked_at IS NULL AND o.state = 'disputed')
$$;
-- +goose StatementEnd
