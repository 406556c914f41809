-- +goose Up
CREATE SCHEMA enrolment;
GRANT USAGE ON SCHEMA enrolment TO cursus_app;

CREATE TABLE enrolment.enrolments (
    id         text PRIMARY KEY CHECK (id LIKE 'enr\_%'),
    learner_id text NOT NULL REFERENCES identity.people,
    session_id text NOT NULL REFERENCES catalog.sessions,
    opened_at  timestamptz NOT NULL, -- leaving and returning is one enrolment
    CONSTRAINT one_enrolment_per_learner_and_session UNIQUE (session_id, learner_id)
);
CREATE INDEX enrolments_by_learner ON enrolment.enrolments (learner_id);
ALTER TABLE enrolment.enrolments ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON enrolment.enrolments TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON enrolment.enrolments FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT, UPDATE ON enrolment.enrolments TO cursus_app;
