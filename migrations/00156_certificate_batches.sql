-- +goose Up
-- Certificates issued for a whole session or edition at once: what was asked for, and how far each learner of it is.
CREATE TABLE certificates.batches (
    id          text PRIMARY KEY CHECK (id LIKE 'bat\_%'),
    kind        text NOT NULL REFERENCES certificates.kinds,
    session_id  text REFERENCES catalog.sessions,
    edition_id  text REFERENCES programs.editions,
    subject     text NOT NULL CHECK (length(subject) BETWEEN 1 AND 100), -- its key
    made_by     text NOT NULL CHECK (length(made_by) BETWEEN 1 AND 200),
    made_at     timestamptz NOT NULL,
    awarded_at  timestamptz, -- when nobody of it waited any more
    CHECK ((session_id IS NULL) <> (edition_id IS NULL))
);
CREATE UNIQUE INDEX one_batch_at_a_time ON certificates.batches (kind, coalesce(session_id, edition_id)) WHERE awarded_at IS NULL;
CREATE TABLE certificates.batch_items (
    batch_id       text NOT NULL REFERENCES certificates.batches,
    learner_id     text NOT NULL REFERENCES identity.people,
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'issued', 'refused')),
    certificate_id text REFERENCES certificates.certificates,
    problem        text NOT NULL DEFAULT '' CHECK (length(problem) <= 60),
    PRIMARY KEY (batch_id, learner_id),
    CHECK ((state = 'issued') = (certificate_id IS NOT NULL) AND (state = 'refused') = (problem <> ''))
);
CREATE INDEX batch_items_waiting ON certificates.batch_items (batch_id) WHERE state = 'waiting';
CREATE UNIQUE INDEX batch_item_of_certificate ON certificates.batch_items (certificate_id) WHERE certificate_id IS NOT NULL;
ALTER TABLE certificates.batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificates.batch_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON certificates.batches TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON certificates.batch_items TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON certificates.batches, certificates.batch_items TO cursus_app;
GRANT UPDATE (awarded_at) ON certificates.batches TO cursus_app;
GRANT UPDATE (state, certificate_id, problem) ON certificates.batch_items TO cursus_app;

-- Whether the document carries an electronic signature.
ALTER TABLE certificates.documents ADD COLUMN signed boolean NOT NULL DEFAULT false;

-- Whoever drops a file asks by its hash.
CREATE INDEX documents_by_hash ON certificates.documents (sha256);
