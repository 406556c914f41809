-- +goose Up
-- The tallies say too in which month (UTC, its first day) somebody had first been enrolled; -infinity before. What was written is written again,
-- from the history.
DROP VIEW journey.tallies_of_history;
ALTER TABLE journey.tallies DISABLE TRIGGER tallies_append_only;
ALTER TABLE journey.days DISABLE TRIGGER days_append_only;
TRUNCATE journey.tallies, journey.days;
UPDATE journey.summed SET until = '-infinity';
ALTER TABLE journey.tallies ENABLE TRIGGER tallies_append_only;
ALTER TABLE journey.days ENABLE TRIGGER days_append_only;
ALTER TABLE journey.tallies ADD COLUMN joined date NOT NULL;
DROP INDEX journey.tallies_by_session;
DROP INDEX journey.tallies_by_recorded;
CREATE INDEX tallies_by_session ON journey.tallies (session_id, at) INCLUDE (recorded_at, joined, reached, ever, n);
CREATE INDEX tallies_by_recorded ON journey.tallies (session_id, recorded_at) INCLUDE (at, joined, reached, ever, n);
ALTER TABLE journey.days DROP CONSTRAINT days_pkey, ADD COLUMN joined date NOT NULL, ADD PRIMARY KEY (session_id, day, known, joined, reached, ever) INCLUDE (n);

CREATE VIEW journey.tallies_of_history WITH (security_invoker = true) AS
WITH told AS (
    SELECT c.enrolment_id, c.session_id, t.bit, c.reached::int AS reached, c.at, c.seq,
           max(c.recorded_at) OVER (PARTITION BY c.enrolment_id ORDER BY c.seq) AS known_at
      FROM journey.changes c JOIN journey.stages t ON t.stage = c.stage
), versions AS (
    SELECT enrolment_id, known_at, lead(known_at) OVER (PARTITION BY enrolment_id ORDER BY known_at) AS until
      FROM (SELECT DISTINCT enrolment_id, known_at FROM told) v
), turns AS ( -- by how much the sum of the bits changes
    SELECT c.enrolment_id, c.session_id, v.known_at, v.until, c.at,
           (c.reached - coalesce(lag(c.reached) OVER (PARTITION BY c.enrolment_id, v.known_at, c.bit ORDER BY c.at, c.seq), 0)) << c.bit AS turn
      FROM versions v JOIN told c ON c.enrolment_id = v.enrolment_id AND c.known_at <= v.known_at
), instants AS (
    SELECT enrolment_id, session_id, known_at, until, at, sum(turn) AS turn FROM turns GROUP BY enrolment_id, session_id, known_at, until, at
), states AS (
    SELECT i.*, sum(turn) OVER (PARTITION BY enrolment_id, known_at ORDER BY at)::int AS reached FROM instants i
), evers AS (
    SELECT s.*, bit_or(reached) OVER w AS ever,
           coalesce(date_trunc('month', min(at) FILTER (WHERE reached & 1 <> 0) OVER w AT TIME ZONE 'UTC')::date, '-infinity') AS joined
      FROM states s WINDOW w AS (PARTITION BY enrolment_id, known_at ORDER BY at)
), steps AS (
    SELECT e.*, lag(reached) OVER w AS was, lag(ever) OVER w AS had, lag(joined) OVER w AS came FROM evers e WINDOW w AS (PARTITION BY enrolment_id, known_at ORDER BY at)
), moves AS (
    SELECT session_id, at, known_at, until, joined, reached, ever, 1 AS n FROM steps WHERE (was, had) IS DISTINCT FROM (reached, ever)
    UNION ALL
    SELECT session_id, at, known_at, until, came, was, had, -1 FROM steps WHERE was IS NOT NULL AND (was, had) IS DISTINCT FROM (reached, ever)
)
SELECT session_id, at, recorded_at, joined, reached, ever, sum(n)::int AS n
  FROM (SELECT session_id, at, known_at AS recorded_at, joined, reached, ever, n FROM moves
        UNION ALL SELECT session_id, at, until, joined, reached, ever, -n FROM moves WHERE until IS NOT NULL) m
 GROUP BY session_id, at, recorded_at, joined, reached, ever HAVING sum(n) <> 0;
GRANT SELECT ON journey.tallies_of_history TO cursus_app;
INSERT INTO journey.tallies (session_id, at, recorded_at, joined, reached, ever, n) SELECT session_id, at, recorded_at, joined, reached, ever, n FROM journey.tallies_of_history;

-- The days once more, whenever they were learnt: all of them, by year and by month of at. A question that asks for all that is known reads
-- years, then the months of one year, then the days of one month.
CREATE TABLE journey.sums (
    session_id text NOT NULL,
    grain      text NOT NULL CHECK (grain IN ('all', 'year', 'month')),
    since      date NOT NULL, -- its first day; -infinity of all
    joined     date NOT NULL,
    reached    int NOT NULL,
    ever       int NOT NULL,
    n          int NOT NULL,
    PRIMARY KEY (session_id, grain, since, joined, reached, ever) INCLUDE (n)
);
GRANT SELECT, INSERT, UPDATE ON journey.sums TO cursus_app;

-- How many enrolments of some sessions were in which state at one instant, by what was known at another; 9999-12-31 is no bound.
CREATE FUNCTION journey.states_at(sessions text[], true_at timestamptz, known_at timestamptz)
RETURNS TABLE (session_id text, joined date, reached int, ever int, n int) LANGUAGE sql STABLE AS $$
WITH summed AS (
    SELECT least(until, (known_at AT TIME ZONE 'UTC')::date) AS until, (true_at AT TIME ZONE 'UTC')::date AS day,
           date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month, date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year,
           known_at >= '9999-12-31 00:00+00' AS all_known, true_at >= '9999-12-31 00:00+00' AS for_ever
      FROM journey.summed
)
SELECT x.session_id, x.joined, x.reached, x.ever, x.n
  FROM summed s JOIN journey.sums x ON x.session_id = ANY(sessions) AND x.grain = 'all' WHERE s.all_known AND s.for_ever
UNION ALL
SELECT x.session_id, x.joined, x.reached, x.ever, x.n
  FROM summed s JOIN journey.sums x ON x.session_id = ANY(sessions) AND x.grain = 'year' AND x.since < s.year WHERE s.all_known AND NOT s.for_ever
UNION ALL
SELECT x.session_id, x.joined, x.reached, x.ever, x.n
  FROM summed s JOIN journey.sums x ON x.session_id = ANY(sessions) AND x.grain = 'month' AND x.since >= s.year AND x.since < s.month WHERE s.all_known AND NOT s.for_ever
UNION ALL
SELECT d.session_id, d.joined, d.reached, d.ever, d.n
  FROM summed s JOIN journey.days d ON d.session_id = ANY(sessions) AND d.day >= s.month AND d.day < s.day WHERE s.all_known AND NOT s.for_ever
UNION ALL
SELECT d.session_id, d.joined, d.reached, d.ever, d.n
  FROM summed s JOIN journey.days d ON d.session_id = ANY(sessions) AND d.day < s.day AND d.known < s.until WHERE NOT s.all_known
UNION ALL
SELECT t.session_id, t.joined, t.reached, t.ever, t.n
  FROM summed s JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.at >= s.day::timestamp AT TIME ZONE 'UTC' AND t.at <= true_at AND t.recorded_at <= known_at
UNION ALL
SELECT t.session_id, t.joined, t.reached, t.ever, t.n
  FROM summed s JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.recorded_at >= s.until::timestamp AT TIME ZONE 'UTC' AND t.recorded_at <= known_at
                                      AND t.at < s.day::timestamp AT TIME ZONE 'UTC'
$$;

-- Who is in several sessions is answered from the indexes alone.
DROP INDEX journey.enrolments_by_session;
DROP INDEX journey.enrolments_by_learner;
CREATE INDEX enrolments_by_session ON journey.enrolments (session_id) INCLUDE (reached, ever, enrolment_id, learner_id);
CREATE INDEX enrolments_by_learner ON journey.enrolments (learner_id) INCLUDE (session_id, reached, ever);
