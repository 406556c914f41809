-- +goose Up
-- The code under which a proctoring provider knows an attempt: what a file of results says of it finds it again.
ALTER TABLE exams.attempts ADD COLUMN code text NOT NULL DEFAULT '' CHECK (length(code) <= 255);
CREATE UNIQUE INDEX attempt_code_once ON exams.attempts (code) WHERE code <> '';
GRANT UPDATE (code) ON exams.attempts TO cursus_app;

-- Files of results that were taken in: the hash of each, and what became of its rows. The file itself is not kept, and outcomes name nobody.
CREATE TABLE exams.result_files (
    id          text PRIMARY KEY CHECK (id LIKE 'erf\_%'),
    session_id  text NOT NULL REFERENCES catalog.sessions,
    kind        text NOT NULL CHECK (kind IN ('practice', 'proctored', 'production')),
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    file_name   text NOT NULL CHECK (length(file_name) <= 255),
    outcomes    jsonb NOT NULL,
    refused     int NOT NULL CHECK (refused >= 0),
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL,
    CONSTRAINT result_file_once UNIQUE (session_id, kind, sha256)
);
ALTER TABLE exams.result_files ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON exams.result_files TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON exams.result_files TO cursus_app;
GRANT UPDATE (file_name, outcomes, refused, imported_by, imported_at) ON exams.result_files TO cursus_app;
