-- +goose Up
-- A provider of lti may ask for the browser to say when an exam is over.
ALTER TABLE exams.proctorings
    ADD COLUMN wants_end boolean NOT NULL DEFAULT false,
    ADD COLUMN ended_at  timestamptz; -- when it was said
ALTER TABLE exams.provider_events ADD COLUMN wants_end boolean NOT NULL DEFAULT false;
GRANT UPDATE (wants_end, ended_at) ON exams.proctorings TO cursus_app;

-- A launch of a provider of lti: the browser of who sits carries it there once, within minutes.
CREATE TABLE exams.proctor_launches (
    id          text PRIMARY KEY CHECK (id LIKE 'pln\_%'),
    attempt_id  text NOT NULL REFERENCES exams.attempts,
    learner_id  text NOT NULL REFERENCES identity.people,
    provider    text NOT NULL REFERENCES exams.providers,
    ends        boolean NOT NULL, -- LtiEndAssessment; else LtiStartProctoring
    issued_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    redeemed_at timestamptz
);
CREATE INDEX proctor_launches_by_attempt ON exams.proctor_launches (attempt_id);
CREATE INDEX proctor_launches_by_learner ON exams.proctor_launches (learner_id);
ALTER TABLE exams.proctor_launches ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON exams.proctor_launches TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON exams.proctor_launches FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT ON exams.proctor_launches TO cursus_app;
GRANT UPDATE (redeemed_at) ON exams.proctor_launches TO cursus_app;
