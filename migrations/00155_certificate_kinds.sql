-- +goose Up
-- Kinds of certificates as data, layouts per partner, and what happens to a certificate after it was issued.

-- Logos and signatures, each kept once under the hash of its bytes: what a certificate was printed with can be had again for ever.
CREATE TABLE certificates.images (
    sha256   text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    png      bytea NOT NULL CHECK (octet_length(png) BETWEEN 1 AND 600000 AND sha256 = encode(sha256(png), 'hex')),
    added_at timestamptz NOT NULL
);
CREATE TRIGGER images_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates.images FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- A layout is read when a certificate is awarded and copied into its facts: a later edit changes nothing that was issued.
CREATE TABLE certificates.layouts (
    id           text PRIMARY KEY CHECK (id LIKE 'lay\_%'),
    name         text NOT NULL CONSTRAINT layout_name_once UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    organisation text CONSTRAINT organisation_known REFERENCES identity.organisations, -- whose editions print it; null: chosen by a kind
    design       jsonb NOT NULL,
    version      int NOT NULL DEFAULT 1 CHECK (version > 0),
    saved_at     timestamptz NOT NULL,
    saved_by     text NOT NULL CHECK (length(saved_by) BETWEEN 1 AND 200)
);
CREATE UNIQUE INDEX one_layout_per_organisation ON certificates.layouts (organisation) WHERE organisation IS NOT NULL;

-- What each kind certifies, what it asks for, and its words.
CREATE TABLE certificates.kinds (
    key         text PRIMARY KEY CHECK (key ~ '^[a-z][a-z_]{1,39}$'),
    subject     text NOT NULL CHECK (subject IN ('session', 'edition')),
    heading     jsonb NOT NULL,
    reason      jsonb NOT NULL, -- the line over the title: "for having passed the examination of"
    stage       text NOT NULL CHECK (stage IN ('succeeded', 'exam_passed', 'path_complete')),
    entitlement text NOT NULL CHECK (length(entitlement) <= 40), -- that a formula in force gives; empty: any formula
    workshops   boolean NOT NULL, -- the days and productions that the session asks for
    cosigned    boolean NOT NULL, -- an organisation that certifies together with us signs too
    layout_id   text REFERENCES certificates.layouts,
    version     int NOT NULL DEFAULT 1 CHECK (version > 0),
    CHECK ((subject = 'edition') = (stage = 'path_complete'))
);
INSERT INTO certificates.kinds (key, subject, heading, reason, stage, entitlement, workshops, cosigned) VALUES
    ('attestation', 'session', '{"en": "Attestation of Achievement", "fr": "Attestation de réussite"}',
     '{"en": "for having successfully followed the course", "fr": "pour avoir suivi avec succès le cours"}', 'succeeded', '', false, false),
    ('qualifying', 'session', '{"en": "Certificate of Achievement", "fr": "Certificat de réussite"}',
     '{"en": "for having passed the examination of", "fr": "pour avoir réussi l’examen de"}', 'exam_passed', 'certificate', true, false),
    ('program', 'edition', '{"en": "Program Certificate", "fr": "Certificat de programme"}',
     '{"en": "for having completed the program", "fr": "pour avoir mené à bien le programme"}', 'path_complete', 'certificate', false, true);

ALTER TABLE certificates.certificates
    ALTER COLUMN enrolment_id DROP NOT NULL, ALTER COLUMN session_id DROP NOT NULL, ALTER COLUMN sitting_id DROP NOT NULL,
    ADD COLUMN kind text NOT NULL DEFAULT 'qualifying' REFERENCES certificates.kinds,
    ADD COLUMN stage text NOT NULL DEFAULT 'exam_passed', -- that its kind asked for when it was awarded
    ADD COLUMN entitlement text NOT NULL DEFAULT 'certificate',
    ADD COLUMN edition_id text REFERENCES programs.editions,
    ADD COLUMN replaces_id text CONSTRAINT replaced_once UNIQUE REFERENCES certificates.certificates,
    ADD COLUMN replaced_at timestamptz,
    ADD CONSTRAINT certificate_subject CHECK ((session_id IS NULL) <> (edition_id IS NULL) AND (session_id IS NULL) = (enrolment_id IS NULL)),
    ADD CONSTRAINT certificate_exam CHECK ((stage = 'exam_passed') = (sitting_id IS NOT NULL)),
    ADD CONSTRAINT replaced_or_revoked CHECK (replaced_at IS NULL OR revoked_at IS NULL);
ALTER TABLE certificates.certificates ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN stage DROP DEFAULT, ALTER COLUMN entitlement DROP DEFAULT;
DROP INDEX certificates.one_live_certificate;
CREATE UNIQUE INDEX one_live_certificate ON certificates.certificates (learner_id, kind, coalesce(session_id, edition_id)) WHERE revoked_at IS NULL AND replaced_at IS NULL;
CREATE INDEX certificates_by_session ON certificates.certificates (session_id, id DESC);
CREATE INDEX certificates_by_edition ON certificates.certificates (edition_id, id DESC) WHERE edition_id IS NOT NULL;
CREATE INDEX certificates_by_sitting ON certificates.certificates (sitting_id) WHERE sitting_id IS NOT NULL;
GRANT UPDATE (replaced_at) ON certificates.certificates TO cursus_app;

-- Everything that happened to a certificate. Only added to.
CREATE TABLE certificates.changes (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    certificate_id text NOT NULL REFERENCES certificates.certificates,
    change         text NOT NULL CHECK (change IN ('awarded', 'replaced', 'revoked', 'reinstated')),
    reason         text NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
    by             text NOT NULL CHECK (length(by) BETWEEN 1 AND 200),
    at             timestamptz NOT NULL
);
CREATE INDEX changes_of_certificate ON certificates.changes (certificate_id, id);
CREATE TRIGGER changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates.changes FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
INSERT INTO certificates.changes (certificate_id, change, reason, by, at)
    SELECT id, 'awarded', '', 'system', issued_at FROM certificates.certificates UNION ALL
    SELECT id, 'revoked', revoked_reason, coalesce(revoked_by, 'system'), revoked_at FROM certificates.certificates WHERE revoked_at IS NOT NULL ORDER BY 5;

ALTER TABLE certificates.changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON certificates.changes TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON certificates.changes FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM certificates.certificates c WHERE c.id = certificate_id AND platform.actor() = 'learner:' || c.learner_id));
GRANT SELECT, INSERT ON certificates.images, certificates.layouts, certificates.changes TO cursus_app;
GRANT SELECT ON certificates.kinds TO cursus_app;
GRANT UPDATE (name, organisation, design, version, saved_at, saved_by) ON certificates.layouts TO cursus_app;
GRANT UPDATE (heading, reason, workshops, cosigned, layout_id, version) ON certificates.kinds TO cursus_app;
