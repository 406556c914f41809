-- +goose Up
-- Since when and until when some enrolments have each of the stages that learners in common are asked for, by all that is written: the bit of the
-- stage, the first spell of having it without having left, in how many spells she had it, and since when she had ever had it.
CREATE FUNCTION journey.spells(enrolments text[])
RETURNS TABLE (enrolment_id text, stage_bit int, since timestamptz, until timestamptz, spells bigint, ever_since timestamptz) LANGUAGE sql STABLE AS $$
WITH told AS (
    SELECT DISTINCT ON (c.enrolment_id, c.stage, c.at) c.enrolment_id, t.bit, c.at, c.reached::int AS reached
      FROM journey.changes c JOIN journey.stages t ON t.stage = c.stage
     WHERE c.enrolment_id = ANY(enrolments) AND c.stage IN ('enrolled', 'started', 'succeeded', 'certified')
     ORDER BY c.enrolment_id, c.stage, c.at, c.seq DESC
), turns AS (
    SELECT x.enrolment_id, x.bit, x.at, reached - coalesce(lag(reached) OVER (PARTITION BY x.enrolment_id, x.bit ORDER BY x.at), 0) AS turn,
           bit_or(1 << x.bit) OVER (PARTITION BY x.enrolment_id) AS bits
      FROM told x
), instants AS (
    SELECT t.enrolment_id, s.bit, t.at, coalesce(sum(turn) FILTER (WHERE t.bit = s.bit), 0) AS own, coalesce(sum(turn) FILTER (WHERE t.bit = 0), 0) AS stays
      FROM turns t JOIN (VALUES (0), (1), (6), (11)) s (bit) ON t.bit IN (s.bit, 0) AND t.bits & (1 << s.bit) <> 0
     GROUP BY t.enrolment_id, s.bit, t.at
), states AS (
    SELECT i.enrolment_id, i.bit, i.at, sum(own) OVER w = 1 AS has, sum(own) OVER w = 1 AND sum(stays) OVER w = 1 AS holds
      FROM instants i WINDOW w AS (PARTITION BY i.enrolment_id, i.bit ORDER BY i.at)
), changed AS (
    SELECT s.*, holds IS DISTINCT FROM coalesce(lag(holds) OVER (PARTITION BY s.enrolment_id, s.bit ORDER BY s.at), false) AS turns FROM states s
)
SELECT c.enrolment_id, c.bit, min(c.at) FILTER (WHERE turns AND holds), min(c.at) FILTER (WHERE turns AND NOT holds), count(*) FILTER (WHERE turns AND holds),
       min(c.at) FILTER (WHERE has)
  FROM changed c GROUP BY c.enrolment_id, c.bit
$$;

-- The couples say since when and until when both have a stage, so that whom two sessions have in common at any instant is read from one index.
-- Who came back to a stage has it in several spells: that couple is not steady, and is asked of the history.
DROP FUNCTION analytics.couples_of(text[], text[]);
DROP TABLE analytics.couples;
CREATE TABLE analytics.couples (
    session_id         text NOT NULL,
    other_id           text NOT NULL, -- the other session
    enrolment_id       text NOT NULL,
    other_enrolment_id text NOT NULL,
    steady             boolean NOT NULL,
    enrolled_ever      timestamptz, -- since when both had ever had it
    enrolled_since     timestamptz, -- since when both have it, and have not left
    enrolled_until     timestamptz, -- until when; null: still
    started_ever       timestamptz,
    started_since      timestamptz,
    started_until      timestamptz,
    succeeded_ever     timestamptz,
    succeeded_since    timestamptz,
    succeeded_until    timestamptz,
    certified_ever     timestamptz,
    certified_since    timestamptz,
    certified_until    timestamptz,
    PRIMARY KEY (session_id, other_id, enrolment_id, other_enrolment_id)
        INCLUDE (steady, enrolled_ever, enrolled_since, enrolled_until, started_ever, started_since, started_until,
                 succeeded_ever, succeeded_since, succeeded_until, certified_ever, certified_since, certified_until)
);
GRANT SELECT, INSERT, UPDATE ON analytics.couples TO cursus_app;

-- The couples of some enrolments in both orders, by all that is written.
CREATE FUNCTION analytics.couples_written(enrolments text[]) RETURNS SETOF analytics.couples LANGUAGE sql STABLE AS $$
WITH pairs AS MATERIALIZED (
    SELECT DISTINCT p.* FROM journey.enrolments x JOIN journey.enrolments y ON y.learner_id = x.learner_id AND y.session_id <> x.session_id
     CROSS JOIN LATERAL (VALUES (x.session_id, y.session_id, x.enrolment_id, y.enrolment_id), (y.session_id, x.session_id, y.enrolment_id, x.enrolment_id)) p (session_id, other_id, one, other)
     WHERE x.enrolment_id = ANY(enrolments)
), had AS MATERIALIZED (
    SELECT s.* FROM journey.spells(ARRAY(SELECT DISTINCT one FROM pairs)) s
), both_had AS (
    SELECT p.session_id, p.other_id, p.one, p.other, a.stage_bit AS of_stage, a.spells <= 1 AND b.spells <= 1 AS steady,
           CASE WHEN a.ever_since IS NOT NULL AND b.ever_since IS NOT NULL THEN greatest(a.ever_since, b.ever_since) END AS ever,
           CASE WHEN a.since IS NOT NULL AND b.since IS NOT NULL AND greatest(a.since, b.since) < coalesce(least(a.until, b.until), 'infinity') THEN greatest(a.since, b.since) END AS since,
           least(a.until, b.until) AS until
      FROM pairs p LEFT JOIN had a ON a.enrolment_id = p.one LEFT JOIN had b ON b.enrolment_id = p.other AND b.stage_bit = a.stage_bit
)
SELECT c.session_id, c.other_id, c.one, c.other, coalesce(bool_and(c.steady), true),
       min(ever) FILTER (WHERE of_stage = 0), min(since) FILTER (WHERE of_stage = 0), min(until) FILTER (WHERE of_stage = 0 AND since IS NOT NULL),
       min(ever) FILTER (WHERE of_stage = 1), min(since) FILTER (WHERE of_stage = 1), min(until) FILTER (WHERE of_stage = 1 AND since IS NOT NULL),
       min(ever) FILTER (WHERE of_stage = 6), min(since) FILTER (WHERE of_stage = 6), min(until) FILTER (WHERE of_stage = 6 AND since IS NOT NULL),
       min(ever) FILTER (WHERE of_stage = 11), min(since) FILTER (WHERE of_stage = 11), min(until) FILTER (WHERE of_stage = 11 AND since IS NOT NULL)
  FROM both_had c GROUP BY c.session_id, c.other_id, c.one, c.other
$$;
INSERT INTO analytics.couples
SELECT c.* FROM (SELECT DISTINCT session_id FROM journey.enrolments) s
 CROSS JOIN LATERAL analytics.couples_written(ARRAY(SELECT e.enrolment_id FROM journey.enrolments e WHERE e.session_id = s.session_id)) c WHERE c.session_id = s.session_id;

-- The couples between some sessions and others, with those of who was touched since.
CREATE FUNCTION analytics.couples_of(sessions text[], others text[]) RETURNS TABLE (session_id text, other_id text, enrolment_id text, other_enrolment_id text) LANGUAGE sql STABLE AS $$
SELECT c.session_id, c.other_id, c.enrolment_id, c.other_enrolment_id FROM analytics.couples c WHERE c.session_id = ANY(sessions) AND c.other_id = ANY(others)
UNION
SELECT a.session_id, b.session_id, a.enrolment_id, b.enrolment_id
  FROM (SELECT DISTINCT x.learner_id FROM platform.touched t JOIN journey.enrolments x ON x.enrolment_id = t.id) l
  JOIN journey.enrolments a ON a.learner_id = l.learner_id AND a.session_id = ANY(sessions)
  JOIN journey.enrolments b ON b.learner_id = l.learner_id AND b.session_id = ANY(others) AND b.session_id <> a.session_id
$$;

-- What is in the cells of the cube for some sessions (null: for all, and what belongs to none) at one instant (9999-12-31: now), with what touched it
-- since they were summed up.
CREATE FUNCTION analytics.cells_at(sessions text[], true_at timestamptz)
RETURNS TABLE (session_id text, joined date, offer_id text, edition_id text, partner text, country text, currency text, reached int, ever int, first boolean,
               n bigint, gross bigint, refunds bigint, disputes bigint, fees bigint, costs bigint) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT true_at >= '9999-12-31 00:00+00' AS for_ever, date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month, date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year,
           ARRAY(SELECT id FROM platform.touched UNION SELECT g.enrolment_id FROM platform.touched t JOIN enrolment.grants g ON g.order_id = t.id) AS touched
), moved AS (
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'all' WHERE a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'year' AND c.since < a.year WHERE NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'month' AND c.since >= a.year AND c.since < a.month WHERE NOT a.for_ever
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, s.reached, s.ever, s.first, s.n, s.gross, s.refunds, s.disputes, s.fees, s.costs
      FROM asked a JOIN analytics.steps s ON s.at >= a.month::timestamp AT TIME ZONE 'UTC' AND s.at <= true_at WHERE NOT a.for_ever
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, s.reached, s.ever, s.first, -s.n, -s.gross, -s.refunds, -s.disputes, -s.fees, -s.costs
      FROM asked a JOIN analytics.steps s ON s.id = ANY(a.touched) AND s.at <= true_at
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, s.reached, s.ever, s.first, s.n, s.gross, s.refunds, s.disputes, s.fees, s.costs
      FROM asked a CROSS JOIN LATERAL analytics.steps_of(a.touched) s WHERE s.at <= true_at
)
SELECT m.* FROM moved m WHERE sessions IS NULL OR m.session_id IN (SELECT unnest(sessions))
$$;

-- What held of an enrolment at an instant (null: now, which is given), with all that is known.
CREATE FUNCTION journey.reached_at(enrolment text, reached_now int, true_at timestamptz) RETURNS TABLE (reached int) LANGUAGE sql STABLE AS $$
SELECT CASE WHEN true_at IS NULL THEN reached_now ELSE (
    SELECT coalesce(bit_or(CASE WHEN h.reached THEN 1 << t.bit ELSE 0 END), 0)::int
      FROM (SELECT DISTINCT ON (c.stage) c.stage, c.reached FROM journey.changes c
             WHERE c.enrolment_id = enrolment AND c.at <= true_at ORDER BY c.stage, c.at DESC, c.seq DESC) h
      JOIN journey.stages t ON t.stage = h.stage) END OFFSET 0 -- so that the past is asked once, not for each condition on it
$$;

-- Lists of learners go through their sessions one by one, and those of few of them through these alone.
DROP INDEX journey.enrolments_rare;
DROP INDEX journey.enrolments_by_session;
CREATE INDEX enrolments_by_session ON journey.enrolments (session_id, enrolment_id) INCLUDE (reached, ever, learner_id);
CREATE INDEX enrolments_rare ON journey.enrolments (session_id, enrolment_id) INCLUDE (reached, ever, started_at, exam_booked_at, certified_at, qualifying_at) WHERE ever & 6528 <> 0;
