-- +goose Up
CREATE SCHEMA journey;
GRANT USAGE ON SCHEMA journey TO cursus_app;

CREATE TABLE journey.stages (
    stage text PRIMARY KEY,
    bit   int NOT NULL UNIQUE CHECK (bit BETWEEN 0 AND 30)
);
INSERT INTO journey.stages (stage, bit) VALUES
    ('enrolled', 0), ('started', 1), ('week1_first', 2), ('week1_all', 3), ('week1_any', 4), ('week2_first', 5), ('succeeded', 6),
    ('eligible', 7), ('exam_booked', 8), ('exam_sat', 9), ('exam_passed', 10), ('certified', 11), ('qualifying', 12);

CREATE TABLE journey.enrolments (
    enrolment_id   text PRIMARY KEY CHECK (enrolment_id LIKE 'enr\_%'),
    session_id     text NOT NULL,
    learner_id     text NOT NULL,
    reached        int NOT NULL DEFAULT 0,   -- what holds now, one bit per stage of journey.stages
    ever           int NOT NULL DEFAULT 0,   -- what held at some time
    enrolled_at    timestamptz,              -- when each stage was first reached, whatever became of it later
    started_at     timestamptz,
    week2_at       timestamptz,
    succeeded_at   timestamptz,
    qualifying_at  timestamptz,
    exam_booked_at timestamptz,
    exam_sat_at    timestamptz,
    exam_passed_at timestamptz,
    certified_at   timestamptz
);
-- All that a report of one session reads, so that it never goes to the table.
CREATE INDEX enrolments_by_session ON journey.enrolments (session_id) INCLUDE (reached, ever, enrolment_id);
CREATE INDEX enrolments_by_learner ON journey.enrolments (learner_id);

CREATE TABLE journey.changes (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrolment_id text NOT NULL REFERENCES journey.enrolments,
    session_id   text NOT NULL,
    stage        text NOT NULL REFERENCES journey.stages,
    reached      boolean NOT NULL,
    at           timestamptz NOT NULL,       -- when it is true of
    recorded_at  timestamptz NOT NULL,       -- when we learnt it
    cause        text NOT NULL CHECK (length(cause) BETWEEN 1 AND 100)
);
CREATE INDEX changes_by_enrolment ON journey.changes (enrolment_id, stage, at, seq);
CREATE INDEX changes_by_session ON journey.changes (session_id, at);
CREATE TRIGGER changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journey.changes
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT ON journey.stages TO cursus_app;
GRANT SELECT, INSERT, UPDATE ON journey.enrolments TO cursus_app;
GRANT SELECT, INSERT ON journey.changes TO cursus_app;
