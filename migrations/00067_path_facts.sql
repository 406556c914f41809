-- +goose Up
-- All that the engine of programs is told of an enrolment, in one row, so that a path is asked for in one statement. Each column is what
-- its own room answers: the journey its stages, the gradebook the latest grade, the workshops the days attended and the latest production.
-- Whoever asks sees through it what she sees of the tables.
CREATE SCHEMA paths;
GRANT USAGE ON SCHEMA paths TO cursus_app;
CREATE VIEW paths.facts WITH (security_invoker = true) AS
SELECT e.id AS enrolment_id, e.learner_id, e.session_id, s.key AS session_key, c.key AS course_key, e.opened_at,
       coalesce(j.reached, 0) AS reached, j.succeeded_at, g.value AS grade, a.days AS attended, p.grade_ppm AS production_ppm
  FROM enrolment.enrolments e
  JOIN catalog.sessions s ON s.id = e.session_id
  JOIN catalog.courses c ON c.id = s.course_id
  LEFT JOIN journey.enrolments j ON j.enrolment_id = e.id
  LEFT JOIN LATERAL (
      SELECT x.value
        FROM gradebook.columns k
       CROSS JOIN LATERAL (SELECT l.value, l.at, l.seq FROM gradebook.cells l
                            WHERE l.enrolment_id = e.id AND l.column_id = k.id ORDER BY l.at DESC, l.seq DESC LIMIT 1) x
       WHERE k.session_id = e.session_id AND k.kind = 'grade'
       ORDER BY x.at DESC, x.seq DESC LIMIT 1) g ON true
 CROSS JOIN LATERAL (
      SELECT count(*) AS days
        FROM workshops.days d
       CROSS JOIN LATERAL (SELECT t.status FROM workshops.attendance t WHERE t.day_id = d.id AND t.enrolment_id = e.id ORDER BY t.seq DESC LIMIT 1) t
       WHERE d.session_id = e.session_id AND d.state <> 'canceled' AND t.status = 'present') a
  LEFT JOIN LATERAL (SELECT w.grade_ppm FROM workshops.productions w WHERE w.enrolment_id = e.id ORDER BY w.seq DESC LIMIT 1) p ON true;
GRANT SELECT ON paths.facts TO cursus_app;
