-- +goose Up
-- Rosters that schools send as files.
CREATE SCHEMA uploads;
GRANT USAGE ON SCHEMA uploads TO cursus_app;

CREATE TABLE uploads.uploads (
    id             text PRIMARY KEY CHECK (id LIKE 'upl\_%'),
    cohort_id      text NOT NULL REFERENCES cohorts.cohorts,
    file_name      text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    bytes          bigint NOT NULL CHECK (bytes > 0),
    sha256         bytea NOT NULL CHECK (length(sha256) = 32), -- of the file as it came
    format         text NOT NULL CHECK (format IN ('csv', 'oneroster-1.1', 'oneroster-1.2')),
    mode           text NOT NULL CHECK (mode IN ('bulk', 'delta')),
    class          text NOT NULL CHECK (length(class) <= 255), -- of the file, that was asked for; empty: none was
    rows           int NOT NULL CHECK (rows >= 0),
    unended        boolean NOT NULL,
    state          text NOT NULL CONSTRAINT upload_state_known CHECK (state IN ('checking', 'checked', 'applying', 'applied', 'failed')),
    report         jsonb, -- the difference, with the first rows that are refused
    problem        text NOT NULL DEFAULT '' CHECK (length(problem) <= 60),
    problem_detail text NOT NULL DEFAULT '' CHECK (length(problem_detail) <= 1000),
    made_by        text NOT NULL REFERENCES identity.people,
    made_at        timestamptz NOT NULL,
    checked_at     timestamptz,
    asked_by       text REFERENCES identity.people, -- who wants it applied
    applied_at     timestamptz,
    CONSTRAINT upload_is_seen_first CHECK (state IN ('checking', 'failed') OR report IS NOT NULL AND checked_at IS NOT NULL),
    CONSTRAINT upload_is_asked_for CHECK (state NOT IN ('applying', 'applied') OR asked_by IS NOT NULL),
    CONSTRAINT upload_applied_when CHECK ((state = 'applied') = (applied_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_upload_at_a_time ON uploads.uploads (cohort_id) WHERE state = 'applying';
CREATE INDEX uploads_by_cohort ON uploads.uploads (cohort_id, id);

-- The rows that were read of a file, and what became of each; both compressed. Rows are never written anew.
CREATE TABLE uploads.contents (
    upload_id   text PRIMARY KEY REFERENCES uploads.uploads,
    rows        bytea NOT NULL,
    rows_sha256 bytea NOT NULL CHECK (length(rows_sha256) = 32),
    outcome     bytea
);
ALTER TABLE uploads.contents ALTER COLUMN rows SET STORAGE EXTERNAL, ALTER COLUMN outcome SET STORAGE EXTERNAL;

ALTER TABLE uploads.uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads.contents ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON uploads.uploads TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON uploads.contents TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY school ON uploads.uploads FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM cohorts.cohorts c WHERE c.id = cohort_id));
CREATE POLICY school ON uploads.contents FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM uploads.uploads u WHERE u.id = upload_id));
GRANT SELECT, INSERT ON uploads.uploads, uploads.contents TO cursus_app;
GRANT UPDATE (state, report, problem, problem_detail, checked_at, asked_by, applied_at) ON uploads.uploads TO cursus_app;
GRANT UPDATE (outcome), DELETE ON uploads.contents TO cursus_app;
