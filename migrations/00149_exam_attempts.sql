-- +goose Up
-- What happened in the room: one row each time that somebody began, or began again after an error.
CREATE TABLE exams.attempts (
    id              text PRIMARY KEY CHECK (id LIKE 'att\_%'),
    sitting_id      text NOT NULL REFERENCES exams.sittings,
    learner_id      text NOT NULL REFERENCES identity.people,
    n               int NOT NULL CHECK (n BETWEEN 1 AND 100),
    state           text NOT NULL CHECK (state IN ('created', 'download_software_clicked', 'ready_to_start', 'started', 'ready_to_submit', 'timed_out', 'submitted',
                        'second_review_required', 'verified', 'rejected', 'error', 'ready_to_resume', 'resumed', 'declined', 'expired')),
    limit_seconds   int NOT NULL CHECK (limit_seconds > 0),
    created_at      timestamptz NOT NULL,
    started_at      timestamptz,
    deadline_at     timestamptz,
    submitted_at    timestamptz,
    score_ppm       int CHECK (score_ppm BETWEEN 0 AND 1000000),
    reviewed_at     timestamptz,
    reviewer        text NOT NULL DEFAULT '', -- the person who decided
    version         int NOT NULL DEFAULT 1,
    CONSTRAINT attempts_numbered UNIQUE (sitting_id, n),
    CHECK ((started_at IS NULL) = (deadline_at IS NULL))
);
CREATE INDEX attempts_by_deadline ON exams.attempts (deadline_at) WHERE state IN ('started', 'ready_to_submit');
CREATE INDEX attempts_to_review ON exams.attempts (created_at) WHERE state IN ('submitted', 'timed_out', 'second_review_required', 'error');
CREATE INDEX attempts_by_learner ON exams.attempts (learner_id);
GRANT UPDATE (state, limit_seconds, started_at, deadline_at, submitted_at, score_ppm, reviewed_at, reviewer, version)
    ON exams.attempts TO cursus_app;

CREATE TABLE exams.attempt_events (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    attempt_id text NOT NULL REFERENCES exams.attempts,
    learner_id text NOT NULL REFERENCES identity.people,
    event      text NOT NULL CHECK (length(event) <= 40),
    from_state text NOT NULL,
    to_state   text NOT NULL, -- the same: it came too late to move anything
    note       text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
    by         text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX attempt_events_by_attempt ON exams.attempt_events (attempt_id, seq);

CREATE TABLE exams.incidents (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sitting_id  text NOT NULL REFERENCES exams.sittings,
    learner_id  text NOT NULL REFERENCES identity.people,
    kind        text NOT NULL CHECK (kind IN ('technical', 'identity', 'material', 'help', 'absence', 'other')),
    severity    int NOT NULL CHECK (severity BETWEEN 0 AND 100),
    note        text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
    happened_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX incidents_by_sitting ON exams.incidents (sitting_id, seq);

CREATE TABLE exams.appeals (
    id             text PRIMARY KEY CHECK (id LIKE 'apl\_%'),
    sitting_id     text NOT NULL CONSTRAINT one_appeal UNIQUE REFERENCES exams.sittings,
    learner_id     text NOT NULL REFERENCES identity.people,
    reason         text NOT NULL CHECK (length(reason) <= 2000),
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'upheld', 'dismissed')),
    first_reviewer text NOT NULL DEFAULT '', -- who decided what is appealed against
    asked_at       timestamptz NOT NULL,
    decided_by     text NOT NULL DEFAULT '',
    decided_at     timestamptz,
    answer         text NOT NULL DEFAULT '' CHECK (length(answer) <= 2000),
    CONSTRAINT second_reviewer CHECK (decided_by = '' OR decided_by <> first_reviewer),
    CHECK ((state = 'open') = (decided_at IS NULL))
);
CREATE INDEX appeals_open ON exams.appeals (asked_at, id) WHERE state = 'open';
CREATE INDEX appeals_by_learner ON exams.appeals (learner_id);
GRANT UPDATE (reason, state, decided_by, decided_at, answer) ON exams.appeals TO cursus_app;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['attempts', 'attempt_events', 'incidents', 'appeals'] LOOP
        EXECUTE format('ALTER TABLE exams.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON exams.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY own ON exams.%I FOR SELECT TO cursus_app USING (platform.actor() = ''learner:'' || learner_id)', t);
        EXECUTE format('GRANT SELECT, INSERT ON exams.%I TO cursus_app', t);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['attempt_events', 'incidents'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON exams.%I FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change()', t || '_append_only', t);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON exams.%I FOR EACH ROW EXECUTE FUNCTION platform.only_wipes(''note'')', t || '_only_wipes', t);
        EXECUTE format('GRANT UPDATE (note) ON exams.%I TO cursus_app', t);
    END LOOP;
END $$;
-- +goose StatementEnd
