-- +goose Up
CREATE SCHEMA exams;
GRANT USAGE ON SCHEMA exams TO cursus_app;

CREATE TABLE exams.sittings (
    id           text PRIMARY KEY CHECK (id LIKE 'sit\_%'),
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    session_id   text NOT NULL REFERENCES catalog.sessions,
    attempt      int NOT NULL CHECK (attempt BETWEEN 1 AND 20),
    state        text NOT NULL CHECK (state IN ('booked', 'passed', 'failed', 'no_show', 'canceled')),
    eligibility  jsonb NOT NULL, -- every condition as it stood when the sitting was booked
    score_ppm    int CHECK (score_ppm BETWEEN 0 AND 1000000),
    reference    text NOT NULL DEFAULT '' CHECK (length(reference) <= 200), -- the proctor's own
    booked_at    timestamptz NOT NULL,
    result_at    timestamptz,
    CONSTRAINT one_sitting_per_attempt UNIQUE (enrolment_id, attempt)
);
CREATE UNIQUE INDEX one_open_sitting ON exams.sittings (enrolment_id) WHERE state = 'booked';
CREATE INDEX sittings_by_learner ON exams.sittings (learner_id);
ALTER TABLE exams.sittings ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON exams.sittings TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON exams.sittings FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT ON exams.sittings TO cursus_app;
GRANT UPDATE (state, score_ppm, reference, result_at) ON exams.sittings TO cursus_app;
