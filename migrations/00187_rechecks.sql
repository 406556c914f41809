-- +goose Up
-- When the stages of a session were last derived anew from its facts and compared with what the journey holds, and what differed.
CREATE TABLE gradebook.rechecks (
    session_id    text PRIMARY KEY REFERENCES catalog.sessions,
    asked_at      timestamptz NOT NULL,
    checked_at    timestamptz,
    learners      int NOT NULL DEFAULT 0,
    differences   int NOT NULL DEFAULT 0,
    examples      jsonb NOT NULL DEFAULT '[]', -- the first of them
    differs_since timestamptz -- it has differed in every comparison since then
);
CREATE INDEX rechecks_differ ON gradebook.rechecks (session_id) WHERE differences > 0;
GRANT SELECT, INSERT, UPDATE ON gradebook.rechecks TO cursus_app;
-- What the row of each enrolment has to be, from its history: the columns of journey.enrolments. The sessions stand first, so that of one the
-- others are not read.
CREATE VIEW journey.rows_of_history AS
WITH steps AS (
    SELECT DISTINCT ON (c.session_id, c.enrolment_id, c.stage, c.at) c.session_id, c.enrolment_id, c.stage, c.at, c.reached
      FROM journey.changes c ORDER BY c.session_id, c.enrolment_id, c.stage, c.at, c.seq DESC
), stages AS (
    SELECT s.session_id, s.enrolment_id, s.stage, min(s.at) FILTER (WHERE s.reached) AS first_at,
           (array_agg(s.reached ORDER BY s.at DESC))[1] AS holds, bool_or(s.reached) AS held
      FROM steps s GROUP BY s.session_id, s.enrolment_id, s.stage
)
SELECT s.session_id, s.enrolment_id,
       bit_or(CASE WHEN s.holds THEN 1 << t.bit ELSE 0 END) AS reached, bit_or(CASE WHEN s.held THEN 1 << t.bit ELSE 0 END) AS ever,
       max(s.first_at) FILTER (WHERE s.stage = 'enrolled') AS enrolled_at, max(s.first_at) FILTER (WHERE s.stage = 'started') AS started_at,
       max(s.first_at) FILTER (WHERE s.stage = 'week2_first') AS week2_at, max(s.first_at) FILTER (WHERE s.stage = 'succeeded') AS succeeded_at,
       max(s.first_at) FILTER (WHERE s.stage = 'qualifying') AS qualifying_at, max(s.first_at) FILTER (WHERE s.stage = 'exam_booked') AS exam_booked_at,
       max(s.first_at) FILTER (WHERE s.stage = 'exam_sat') AS exam_sat_at, max(s.first_at) FILTER (WHERE s.stage = 'exam_passed') AS exam_passed_at,
       max(s.first_at) FILTER (WHERE s.stage = 'certified') AS certified_at
  FROM stages s JOIN journey.stages t ON t.stage = s.stage
 GROUP BY s.session_id, s.enrolment_id;
GRANT SELECT ON journey.rows_of_history TO cursus_app;
