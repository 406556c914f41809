-- +goose Up
-- What somebody does for a partner: an owner looks after its people and its keys, a registrar enrols, a teacher follows. Who takes money at
-- its desk and who orders for it stand beside, in cashiers and managers.
CREATE TABLE identity.partner_roles (
    organisation text NOT NULL CONSTRAINT organisation_known REFERENCES identity.organisations,
    person_id    text NOT NULL REFERENCES identity.people,
    role         text NOT NULL CONSTRAINT partner_role_known CHECK (role IN ('owner', 'registrar', 'teacher')),
    since        timestamptz NOT NULL,
    PRIMARY KEY (organisation, person_id, role)
);
CREATE INDEX partner_roles_by_person ON identity.partner_roles (person_id);
CREATE INDEX cashiers_by_person ON identity.cashiers (person_id);
ALTER TABLE identity.partner_roles ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.partner_roles TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON identity.partner_roles FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
CREATE POLICY own ON identity.cashiers FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT, DELETE ON identity.partner_roles TO cursus_app;

-- All that people are for partners, as one list, behind the policies of its tables.
CREATE VIEW identity.partners WITH (security_invoker = true) AS
SELECT organisation, person_id, role, since FROM identity.partner_roles
UNION ALL SELECT organisation, person_id, 'cashier', since FROM identity.cashiers
UNION ALL SELECT organisation, person_id, 'manager', since FROM identity.managers;
GRANT SELECT ON identity.partners TO cursus_app;
