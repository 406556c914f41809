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

-- Why somebody may learn, and what: each order grants, each full refund takes its own grant back. What holds is what the
-- grants that are not revoked open together; an enrolment without any came from a grade report.
CREATE TABLE enrolment.grants (
    id           text PRIMARY KEY CHECK (id LIKE 'grt\_%'),
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    order_id     text NOT NULL CONSTRAINT one_grant_per_order UNIQUE, -- sales, above, owns it
    formula      text NOT NULL CHECK (length(formula) BETWEEN 1 AND 40),
    entitlements text[] NOT NULL,
    qualifying   boolean NOT NULL, -- paid, and leading to the certificate
    granted_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_because text CHECK (length(revoked_because) <= 200),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX grants_by_enrolment ON enrolment.grants (enrolment_id);
ALTER TABLE enrolment.grants ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON enrolment.grants TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON enrolment.grants FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM enrolment.enrolments e WHERE e.id = enrolment_id AND platform.actor() = 'learner:' || e.learner_id));
GRANT SELECT, INSERT ON enrolment.grants TO cursus_app;
GRANT UPDATE (revoked_at, revoked_because) ON enrolment.grants TO cursus_app;
