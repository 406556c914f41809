-- +goose Up
CREATE SCHEMA certificates;
GRANT USAGE ON SCHEMA certificates TO cursus_app;

-- The printed facts are stored before anything is printed, and never change.
CREATE TABLE certificates.certificates (
    id             text PRIMARY KEY CHECK (id LIKE 'cer\_%'),
    enrolment_id   text NOT NULL REFERENCES enrolment.enrolments,
    learner_id     text NOT NULL REFERENCES identity.people,
    session_id     text NOT NULL REFERENCES catalog.sessions,
    sitting_id     text NOT NULL REFERENCES exams.sittings,
    code           text NOT NULL CONSTRAINT certificate_code_once UNIQUE CHECK (length(code) >= 26), -- 128 random bits
    facts          jsonb NOT NULL,
    issued_at      timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_reason text CHECK (length(revoked_reason) BETWEEN 1 AND 200),
    revoked_by     text,
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE UNIQUE INDEX one_live_certificate ON certificates.certificates (learner_id, session_id) WHERE revoked_at IS NULL;
CREATE INDEX certificates_by_enrolment ON certificates.certificates (enrolment_id);
CREATE TABLE certificates.documents (
    certificate_id text PRIMARY KEY REFERENCES certificates.certificates,
    pdf            bytea NOT NULL,
    sha256         bytea NOT NULL CHECK (sha256 = sha256(pdf)),
    rendered_at    timestamptz NOT NULL
);
CREATE TRIGGER documents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates.documents
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE certificates.certificates ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificates.documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON certificates.certificates TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON certificates.certificates FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
CREATE POLICY house ON certificates.documents TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON certificates.documents FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM certificates.certificates c WHERE c.id = certificate_id AND platform.actor() = 'learner:' || c.learner_id));
GRANT SELECT, INSERT ON certificates.certificates, certificates.documents TO cursus_app;
GRANT UPDATE (revoked_at, revoked_reason, revoked_by) ON certificates.certificates TO cursus_app;
