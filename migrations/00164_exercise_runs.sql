-- +goose Up
-- When a cell was learnt, so that a question with the same pair of times (true at, known at) answers the same for ever. What was
-- written before this column is known always.
ALTER TABLE gradebook.cells ADD COLUMN recorded_at timestamptz;
-- One exercise of a session, learner by learner in their order: who did it, a page at a time.
CREATE INDEX cells_by_column ON gradebook.cells (column_id, enrolment_id, at, seq) INCLUDE (value);

-- How many learners' score of an exercise stood in a band from one collection until it changed at another: small, whatever the size of
-- the session, and exact for any time in the past. Made anew from the cells by each import, in its transaction. It names nobody.
CREATE TABLE gradebook.runs (
    session_id text NOT NULL REFERENCES catalog.sessions,
    column_id  int NOT NULL REFERENCES gradebook.columns,
    from_at    timestamptz NOT NULL,
    until_at   timestamptz NOT NULL, -- infinity: it is the score still
    band       int NOT NULL CHECK (band BETWEEN 0 AND 3), -- ≤ 0.25, ≤ 0.5, ≤ 0.75, above
    first      boolean NOT NULL, -- the first score of these learners
    learners   int NOT NULL CHECK (learners > 0),
    PRIMARY KEY (session_id, column_id, from_at, until_at, band, first)
);
GRANT SELECT, INSERT, DELETE ON gradebook.runs TO cursus_app;

-- The same for one statement and its check. Null: with all that is known.
-- +goose StatementBegin
CREATE FUNCTION gradebook.runs_of(session text, known timestamptz) RETURNS TABLE (session_id text, column_id int, from_at timestamptz, until_at timestamptz, band int, first boolean, learners int)
LANGUAGE sql STABLE AS $$
    WITH steps AS (
        SELECT DISTINCT ON (c.enrolment_id, c.column_id, c.at) c.enrolment_id, c.column_id, c.at, c.value
          FROM gradebook.columns k JOIN gradebook.cells c ON c.column_id = k.id
         WHERE k.session_id = session AND k.kind = 'exercise' AND (known IS NULL OR c.recorded_at IS NULL OR c.recorded_at <= known)
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
INSERT INTO gradebook.runs SELECT r.* FROM catalog.sessions s CROSS JOIN LATERAL gradebook.runs_of(s.id, NULL) r;
