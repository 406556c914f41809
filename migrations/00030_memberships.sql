-- +goose Up
-- The right to follow a program: a learner in an edition, by one order. What the order promised is frozen with it: the formula,
-- what it opens, and the version of the program. The sessions of the edition are enrolments of their own, each with its grant.
CREATE TABLE enrolment.memberships (
    id           text PRIMARY KEY CHECK (id LIKE 'mem\_%'),
    learner_id   text NOT NULL REFERENCES identity.people,
    edition_id   text NOT NULL CHECK (length(edition_id) BETWEEN 1 AND 40),
    version      int NOT NULL CHECK (version > 0), -- of the program
    order_id     text NOT NULL CONSTRAINT one_membership_per_order UNIQUE, -- sales, above, owns it
    formula      text NOT NULL CHECK (length(formula) BETWEEN 1 AND 40),
    entitlements text[] NOT NULL,
    qualifying   boolean NOT NULL,
    granted_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_because text CHECK (length(revoked_because) <= 200),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX memberships_by_learner ON enrolment.memberships (learner_id, edition_id);
CREATE INDEX memberships_by_edition ON enrolment.memberships (edition_id);
ALTER TABLE enrolment.memberships ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON enrolment.memberships TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON enrolment.memberships FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT ON enrolment.memberships TO cursus_app;
GRANT UPDATE (revoked_at, revoked_because) ON enrolment.memberships TO cursus_app;

-- An order on an edition grants in each of its sessions, so an order grants once per enrolment.
ALTER TABLE enrolment.grants DROP CONSTRAINT one_grant_per_order,
    ADD CONSTRAINT one_grant_per_order UNIQUE (order_id, enrolment_id);
