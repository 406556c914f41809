-- +goose Up
-- Two enrolments of one learner in two sessions, in both orders, so that who is in several sessions is found without going through those who are
-- in one. Whoever enrols is touched, and coupled with the next sums.
CREATE TABLE analytics.couples (
    session_id         text NOT NULL,
    other_id           text NOT NULL, -- the other session
    enrolment_id       text NOT NULL,
    other_enrolment_id text NOT NULL,
    PRIMARY KEY (session_id, other_id, enrolment_id, other_enrolment_id)
);
GRANT SELECT, INSERT ON analytics.couples TO cursus_app;
INSERT INTO analytics.couples
SELECT a.session_id, b.session_id, a.enrolment_id, b.enrolment_id
  FROM journey.enrolments a JOIN journey.enrolments b ON b.learner_id = a.learner_id AND b.session_id <> a.session_id;

-- The couples between some sessions and others, with those of who was touched since.
CREATE FUNCTION analytics.couples_of(sessions text[], others text[]) RETURNS SETOF analytics.couples LANGUAGE sql STABLE AS $$
SELECT c.session_id, c.other_id, c.enrolment_id, c.other_enrolment_id FROM analytics.couples c WHERE c.session_id = ANY(sessions) AND c.other_id = ANY(others)
UNION
SELECT a.session_id, b.session_id, a.enrolment_id, b.enrolment_id
  FROM (SELECT DISTINCT x.learner_id FROM platform.touched t JOIN journey.enrolments x ON x.enrolment_id = t.id) l
  JOIN journey.enrolments a ON a.learner_id = l.learner_id AND a.session_id = ANY(sessions)
  JOIN journey.enrolments b ON b.learner_id = l.learner_id AND b.session_id = ANY(others) AND b.session_id <> a.session_id
$$;

-- Which of some enrolments had certain stages at one instant, by what was known at another; 9999-12-31 is no bound.
CREATE FUNCTION journey.holders(enrolments text[], stages int, ever_held boolean, as_of timestamptz, as_known timestamptz)
RETURNS TABLE (enrolment_id text, session_id text, learner_id text) LANGUAGE sql STABLE AS $$
WITH steps AS (
    SELECT DISTINCT ON (c.enrolment_id, c.stage, c.at) c.enrolment_id, t.bit, c.at, c.reached
      FROM journey.changes c JOIN journey.stages t ON t.stage = c.stage AND stages & (1 << t.bit) <> 0
     WHERE (as_of < '9999-12-31 00:00+00' OR as_known < '9999-12-31 00:00+00') AND c.enrolment_id = ANY(enrolments) AND c.at <= as_of AND c.recorded_at <= as_known
     ORDER BY c.enrolment_id, c.stage, c.at, c.seq DESC
), past AS (
    SELECT s.enrolment_id, CASE WHEN ever_held THEN bool_or(s.reached) ELSE (array_agg(s.reached ORDER BY s.at DESC))[1] END AS reached, s.bit FROM steps s GROUP BY s.enrolment_id, s.bit
)
SELECT j.enrolment_id, j.session_id, j.learner_id FROM journey.enrolments j
 WHERE as_of >= '9999-12-31 00:00+00' AND as_known >= '9999-12-31 00:00+00' AND j.enrolment_id = ANY(enrolments)
   AND (CASE WHEN ever_held THEN j.ever ELSE j.reached END) & stages = stages
UNION ALL
SELECT j.enrolment_id, j.session_id, j.learner_id
  FROM (SELECT p.enrolment_id FROM past p GROUP BY p.enrolment_id HAVING bit_or(CASE WHEN p.reached THEN 1 << p.bit ELSE 0 END) & stages = stages) h
  JOIN journey.enrolments j ON j.enrolment_id = h.enrolment_id
$$;
