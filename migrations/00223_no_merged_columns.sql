-- +goose Up
-- What a report says of a renamed exercise is written to the column of its first name (gradebook.mappings): no column was ever merged into another.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION gradebook.runs_of(session text, known timestamptz) RETURNS TABLE (session_id text, column_id int, from_at timestamptz, until_at timestamptz, band int, first boolean, learners int)
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
CREATE OR REPLACE VIEW export.exercise_results AS
SELECT r.enrolment_id AS enrolment, r.session_id AS session, k.label AS exercise, k.occurrence, x.week, x.scored, r.value AS score_ppb, r.at
  FROM (SELECT DISTINCT ON (c.column_id, c.enrolment_id) c.column_id, c.enrolment_id, c.session_id, c.at, c.value
          FROM gradebook.cells c ORDER BY c.column_id DESC, c.enrolment_id DESC, c.at DESC, c.seq DESC) r -- the order of an index, read backward
  JOIN gradebook.columns k ON k.id = r.column_id AND k.kind = 'exercise'
  LEFT JOIN catalog.exercises x ON x.session_id = r.session_id AND x.label = k.label AND k.occurrence = 0
 WHERE r.value >= 0;
ALTER TABLE gradebook.columns DROP COLUMN merged_into;
