-- +goose Up
-- What is kept of a person: handed to her, erased when she asks for it, forgotten when its time has come.
CREATE SCHEMA dossier;
GRANT USAGE ON SCHEMA dossier TO cursus_app;

ALTER TABLE identity.people ADD COLUMN erased_at timestamptz;
CREATE INDEX people_erased ON identity.people (id) WHERE erased_at IS NOT NULL;

CREATE TABLE dossier.exports (
    id         text PRIMARY KEY CHECK (id LIKE 'exp\_%'),
    person_id  text NOT NULL REFERENCES identity.people,
    asked_by   text NOT NULL CHECK (length(asked_by) BETWEEN 1 AND 200),
    asked_at   timestamptz NOT NULL,
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'expired')),
    done       int NOT NULL DEFAULT 0, -- of the kinds of records
    total      int NOT NULL CHECK (total > 0),
    file       bytea,
    sha256     bytea,
    ready_at   timestamptz,
    expires_at timestamptz,
    CONSTRAINT ready_has_its_file CHECK ((state = 'ready') = (file IS NOT NULL) AND (ready_at IS NULL) = (expires_at IS NULL))
);
CREATE INDEX exports_of_person ON dossier.exports (person_id, id DESC);
CREATE UNIQUE INDEX one_export_at_a_time ON dossier.exports (person_id) WHERE state = 'pending';

CREATE TABLE dossier.erasures (
    id         text PRIMARY KEY CHECK (id LIKE 'era\_%'),
    person_id  text NOT NULL REFERENCES identity.people,
    state      text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'refused', 'withdrawn', 'done')),
    asked_by   text NOT NULL CHECK (length(asked_by) BETWEEN 1 AND 200),
    asked_at   timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    note       text NOT NULL DEFAULT '' CHECK (length(note) <= 500), -- why it was refused
    done_by    text,
    done_at    timestamptz,
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK (state NOT IN ('approved', 'refused', 'done') OR decided_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_erasure_at_a_time ON dossier.erasures (person_id) WHERE state IN ('asked', 'approved');

-- When each rule of the retention schedule was applied last, and what it took.
CREATE TABLE dossier.runs (
    kind       text PRIMARY KEY CHECK (length(kind) BETWEEN 1 AND 40),
    ran_at     timestamptz NOT NULL,
    last_rows  bigint NOT NULL,
    total_rows bigint NOT NULL
);

ALTER TABLE dossier.exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE dossier.erasures ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON dossier.exports TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON dossier.exports FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
CREATE POLICY house ON dossier.erasures TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON dossier.erasures FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT ON dossier.exports, dossier.erasures, dossier.runs TO cursus_app;
GRANT UPDATE (state, done, file, sha256, ready_at, expires_at) ON dossier.exports TO cursus_app;
GRANT UPDATE (state, decided_by, decided_at, note, done_by, done_at) ON dossier.erasures TO cursus_app;
GRANT UPDATE (ran_at, last_rows, total_rows) ON dossier.runs TO cursus_app;
