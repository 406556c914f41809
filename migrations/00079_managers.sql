-- +goose Up
-- Who orders for an organisation and gives its seats out: another right than that of a member, to whom something is offered.
CREATE TABLE identity.managers (
    organisation text NOT NULL CONSTRAINT organisation_known REFERENCES identity.organisations,
    person_id    text NOT NULL REFERENCES identity.people,
    since        timestamptz NOT NULL,
    PRIMARY KEY (organisation, person_id)
);
CREATE INDEX managers_by_person ON identity.managers (person_id);
ALTER TABLE identity.managers ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.managers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON identity.managers FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT, DELETE ON identity.managers TO cursus_app;

-- An order of an organisation is that of its managers, whoever of them placed it; who is none any more sees it no more.
DROP POLICY own ON sales.orders;
CREATE POLICY own ON sales.orders FOR SELECT TO cursus_app USING (organisation IS NULL AND platform.actor() = 'learner:' || buyer_id);
CREATE POLICY managers ON sales.orders FOR SELECT TO cursus_app
    USING (organisation IS NOT NULL AND EXISTS (SELECT 1 FROM identity.managers m WHERE m.organisation = orders.organisation AND platform.actor() = 'learner:' || m.person_id));
