-- +goose Up
-- Who enrols and follows at a school has roles there: they see its cohorts, and nobody else's.
-- The roles are made by a later migration: the body is looked at when it first runs.
-- +goose StatementBegin
CREATE FUNCTION cohorts.follows(school text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM identity.partners p WHERE p.organisation = school AND platform.actor() = 'learner:' || p.person_id AND p.role <> 'cashier');
END $$;
-- +goose StatementEnd
GRANT EXECUTE ON FUNCTION cohorts.follows(text) TO cursus_app;
DROP POLICY school ON cohorts.cohorts;
DROP POLICY school ON cohorts.members;
CREATE POLICY school ON cohorts.cohorts FOR SELECT TO cursus_app USING (cohorts.follows(organisation));
CREATE POLICY school ON cohorts.members FOR SELECT TO cursus_app USING (cohorts.follows(organisation));

-- A link by which one person takes up the place that waits for one student, once. Its secret is derived from its id, and stands nowhere.
CREATE TABLE cohorts.invitations (
    id         text PRIMARY KEY CHECK (id LIKE 'ivt\_%'),
    member_id  text NOT NULL REFERENCES cohorts.members,
    made_by    text NOT NULL REFERENCES identity.people,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > made_at),
    used_at    timestamptz,
    used_by    text REFERENCES identity.people,
    ended_at   timestamptz, -- another one was made for her
    CONSTRAINT used_by_somebody CHECK ((used_at IS NULL) = (used_by IS NULL))
);
CREATE UNIQUE INDEX one_invitation_at_a_time ON cohorts.invitations (member_id) WHERE used_at IS NULL AND ended_at IS NULL;
ALTER TABLE cohorts.invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON cohorts.invitations TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT ON cohorts.invitations TO cursus_app;
GRANT UPDATE (used_at, used_by, ended_at) ON cohorts.invitations TO cursus_app;
