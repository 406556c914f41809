-- +goose Up
-- What a platform lists of a course, once a night, beside what it had confirmed: somebody changed it there, or it did late what we no
-- longer waited for.
CREATE TABLE lms.comparisons (
    session_id  text PRIMARY KEY REFERENCES catalog.sessions,
    platform    text NOT NULL REFERENCES lms.platforms,
    course      text NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    listed      int NOT NULL DEFAULT 0,
    failure     text CHECK (length(failure) BETWEEN 1 AND 40)
);
CREATE INDEX comparisons_by_platform ON lms.comparisons (platform, session_id);
ALTER TABLE lms.syncs
    ADD COLUMN listed_at     timestamptz,
    ADD COLUMN listed_mode   text CHECK (length(listed_mode) <= 100),
    ADD COLUMN listed_active boolean;
GRANT SELECT, INSERT, UPDATE ON lms.comparisons TO cursus_app;
