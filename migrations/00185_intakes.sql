-- +goose Up
-- Every intake is a collection of its kind. Those that say how learners stood when they were made are at most one of a kind at an instant.
ALTER TABLE gradebook.collections DROP CONSTRAINT collections_family_check, DROP CONSTRAINT collection_time_once,
    ADD CONSTRAINT collections_family_check CHECK (family IN ('legacy', 'modern', 'plain', 'xapi')),
    ADD COLUMN kind text NOT NULL DEFAULT 'grade_report' CHECK (kind IN ('grade_report', 'problem_report', 'scores_wide', 'scores_long', 'roster', 'profiles',
        'anonymised_ids', 'issued_certificates', 'xapi', 'pull')),
    ADD COLUMN origin text NOT NULL DEFAULT '' CHECK (length(origin) <= 255), -- who gave it: staff, a key, a platform
    ADD COLUMN lines_ignored int NOT NULL DEFAULT 0,
    ADD COLUMN duplicates int NOT NULL DEFAULT 0; -- statements that had come before
ALTER TABLE gradebook.collections ALTER COLUMN kind DROP DEFAULT;
CREATE UNIQUE INDEX collection_time_once ON gradebook.collections (session_id, kind, collected_at)
    WHERE kind IN ('grade_report', 'problem_report', 'scores_wide', 'roster', 'pull');
CREATE INDEX collections_by_time ON gradebook.collections (session_id, collected_at);

-- Of an exercise that was renamed the new name is a column too, and what is said of it is said of the first.
ALTER TABLE gradebook.columns ADD COLUMN merged_into int REFERENCES gradebook.columns CHECK (merged_into <> id),
    ADD COLUMN title text CHECK (length(title) BETWEEN 1 AND 255);
GRANT UPDATE (merged_into) ON gradebook.columns TO cursus_app;

-- Who has a score was here then: where nothing else says since when, her enrolment begins at the first one. What was assumed so gives way to
-- what is said, whichever comes first.
ALTER TABLE gradebook.members ADD COLUMN assumed text[] NOT NULL DEFAULT '{}'; -- instants, RFC 3339
GRANT UPDATE (assumed) ON gradebook.members TO cursus_app;

-- The ids of statements that were taken, so that each is taken once.
CREATE TABLE gradebook.statements (
    session_id    text NOT NULL REFERENCES catalog.sessions,
    id            text NOT NULL CHECK (length(id) BETWEEN 1 AND 100),
    collection_id text NOT NULL REFERENCES gradebook.collections DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (session_id, id)
);
-- How many certificates a platform counts.
CREATE TABLE gradebook.issued (
    collection_id text NOT NULL REFERENCES gradebook.collections,
    type          text NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
    total         int NOT NULL CHECK (total >= 0),
    run_at        timestamptz
);
CREATE INDEX issued_by_collection ON gradebook.issued (collection_id);
GRANT SELECT, INSERT ON gradebook.statements, gradebook.issued TO cursus_app;

-- A platform's name, and a way in which it calls people.
ALTER TABLE identity.external_ids DROP CONSTRAINT external_ids_source_check, ADD CONSTRAINT external_ids_source_check CHECK (length(source) BETWEEN 1 AND 120);

-- What a column that was renamed says is counted where it is said now.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION gradebook.runs_of(session text, known timestamptz) RETURNS TABLE (session_id text, column_id int, from_at timestamptz, until_at timestamptz, band int, first boolean, learners int)
LANGUAGE sql STABLE AS $$
    WITH steps AS (
        SELECT DISTINCT ON (c.enrolment_id, c.column_id, c.at) c.enrolment_id, c.column_id, c.at, c.value
          FROM gradebook.columns k JOIN gradebook.cells c ON c.column_id = k.id
         WHERE k.session_id = session AND k.kind = 'exercise' AND k.merged_into IS NULL AND (known IS NULL OR c.recorded_at IS NULL OR c.recorded_at <= known)
         ORDER BY c.enrolment_id, c.column_id, c.at, c.seq DESC
    ), moved AS (
        SELECT s.*, lag(s.value, 1, -1::bigint) OVER (PARTITION BY s.enrolment_id, s.column_id ORDER BY s.at) AS earlier FROM steps s
    ), scored AS (
        SELECT m.*, lead(m.at, 1, 'infinity'::timestamptz) OVER w AS until_at, row_number() OVER w = 1 AS first
          FROM moved m WHERE m.value >= 0 AND m.value <> m.earlier
        WINDOW w AS (PARTITION BY m.enrolment_id, m.column_id ORDER BY m.at)
    )
    SELECT session, x.column_id, x.at, x.until_at, x.band, x.first, count(*)::int
      FROM (SELECT s.*, CASE WHEN s.value <= 250000000 THEN 0 WHEN s.value <= 500000000 THEN 1 WHEN s.value <= 750000000 THEN 2 ELSE 3 END AS band FROM scored s) x
     GROUP BY x.column_id, x.at, x.until_at, x.band, x.first
$$;
-- +goose StatementEnd
