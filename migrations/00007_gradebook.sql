-- +goose Up
CREATE SCHEMA gradebook;
GRANT USAGE ON SCHEMA gradebook TO cursus_app;

-- A collection is one grade report as it arrived: immutable, and known by its content.
CREATE TABLE gradebook.collections (
    id            text PRIMARY KEY CHECK (id LIKE 'col\_%'),
    session_id    text NOT NULL REFERENCES catalog.sessions,
    collected_at  timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL,
    sha256        bytea NOT NULL CHECK (length(sha256) = 32),
    file_name     text NOT NULL CHECK (length(file_name) <= 255),
    content       bytea NOT NULL, -- gzip of the bytes that arrived
    family        text NOT NULL CHECK (family IN ('legacy', 'modern')),
    rows_read     int NOT NULL,
    rows_rejected int NOT NULL,
    learners_new  int NOT NULL,
    learners_left int NOT NULL,
    learners_back int NOT NULL,
    cells_changed int NOT NULL,
    CONSTRAINT collection_content_once UNIQUE (session_id, sha256),
    CONSTRAINT collection_time_once UNIQUE (session_id, collected_at)
);
CREATE TABLE gradebook.rejected_rows (
    collection_id text NOT NULL REFERENCES gradebook.collections,
    line          int NOT NULL,
    col           int NOT NULL,
    code          text NOT NULL,
    detail        text NOT NULL,
    PRIMARY KEY (collection_id, line)
);
-- Columns are known by label and by their place among columns of the same label: two subsections may share a name.
CREATE TABLE gradebook.columns (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id text NOT NULL REFERENCES catalog.sessions,
    kind       text NOT NULL CHECK (kind IN ('grade', 'exercise', 'average')),
    label      text NOT NULL CHECK (length(label) BETWEEN 1 AND 255),
    occurrence int NOT NULL,
    UNIQUE (session_id, kind, label, occurrence)
);
-- Who has been in a report of the session: of them alone, absence from a later report means having left.
CREATE TABLE gradebook.members (
    enrolment_id text PRIMARY KEY REFERENCES enrolment.enrolments,
    session_id   text NOT NULL REFERENCES catalog.sessions
);
CREATE INDEX members_by_session ON gradebook.members (session_id);
-- The history of cells, changes only. For each cell it is a step function, as in the journey.
CREATE TABLE gradebook.cells (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id   text NOT NULL,
    enrolment_id text NOT NULL REFERENCES gradebook.members,
    column_id    int NOT NULL REFERENCES gradebook.columns,
    at           timestamptz NOT NULL,
    value        bigint NOT NULL CHECK (value BETWEEN -2 AND 1000000000) -- billionths; −1 not attempted, −2 not available
);
CREATE INDEX cells_by_session ON gradebook.cells (session_id, at);
CREATE INDEX cells_by_enrolment ON gradebook.cells (enrolment_id, column_id, at, seq);
CREATE TABLE gradebook.cohorts (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id   text NOT NULL,
    enrolment_id text NOT NULL REFERENCES gradebook.members,
    at           timestamptz NOT NULL,
    cohort       text NOT NULL CHECK (length(cohort) <= 255)
);
CREATE INDEX cohorts_by_session ON gradebook.cohorts (session_id, at);

CREATE TRIGGER collections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gradebook.collections
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER cells_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gradebook.cells
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER cohorts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gradebook.cohorts
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON gradebook.collections, gradebook.rejected_rows, gradebook.columns, gradebook.members,
    gradebook.cells, gradebook.cohorts TO cursus_app;
