-- +goose Up
-- Whether the learners of a session are invited by mail to its questionnaires; without a row they are not.
CREATE TABLE outreach.inviting (
    session_id text PRIMARY KEY REFERENCES catalog.sessions,
    enabled    boolean NOT NULL,
    version    int NOT NULL CHECK (version > 1),
    changed_by text NOT NULL CHECK (length(changed_by) BETWEEN 1 AND 200),
    changed_at timestamptz NOT NULL
);

-- Who was invited to a questionnaire, or left out for good because she takes no such mail: once, whatever is asked again.
CREATE TABLE outreach.invitations (
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    moment       text NOT NULL CHECK (moment IN ('opening', 'closing')),
    session_id   text NOT NULL REFERENCES catalog.sessions,
    learner_id   text NOT NULL REFERENCES identity.people,
    outcome      text NOT NULL CHECK (outcome IN ('written', 'skipped')),
    at           timestamptz NOT NULL,
    CONSTRAINT invited_once PRIMARY KEY (enrolment_id, moment)
);
CREATE INDEX invitations_by_session ON outreach.invitations (session_id, moment);
CREATE INDEX invitations_by_learner ON outreach.invitations (learner_id);
CREATE TRIGGER invitations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outreach.invitations FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON outreach.inviting, outreach.invitations TO cursus_app;
GRANT UPDATE (enabled, version, changed_by, changed_at) ON outreach.inviting TO cursus_app;
ALTER TABLE outreach.invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON outreach.invitations TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON outreach.invitations FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);

ALTER TABLE outreach.campaigns DROP CONSTRAINT campaigns_kind_check;
ALTER TABLE outreach.campaigns ADD CONSTRAINT campaigns_kind_check CHECK (kind IN ('announcement', 'weekly', 'nudge', 'opening', 'exam', 'survey'));
