-- +goose Up
-- What some enrolments of one state add to the heads that reports count: of those who have not left, and of whoever was ever enrolled. The diligent
-- are counted by each rule of the first week.
CREATE FUNCTION journey.heads(reached int, ever int, n bigint)
RETURNS TABLE (of_ever boolean, paying boolean, enrolled bigint, started bigint, diligent_first bigint, diligent_all bigint, diligent_any bigint, diligent_none bigint,
               succeeded bigint, eligible bigint, booked bigint, sat bigint, passed bigint, certified bigint) LANGUAGE sql IMMUTABLE AS $$
SELECT h.of_ever, h.held & h.needs = h.needs, h.n, CASE WHEN h.held & 2 <> 0 THEN h.n ELSE 0 END,
       CASE WHEN h.held & 36 = 36 THEN h.n ELSE 0 END, CASE WHEN h.held & 40 = 40 THEN h.n ELSE 0 END, CASE WHEN h.held & 48 = 48 THEN h.n ELSE 0 END, CASE WHEN h.held & 32 <> 0 THEN h.n ELSE 0 END,
       CASE WHEN h.held & 64 <> 0 THEN h.n ELSE 0 END, CASE WHEN h.held & 128 <> 0 THEN h.n ELSE 0 END, CASE WHEN h.held & 256 <> 0 THEN h.n ELSE 0 END,
       CASE WHEN h.held & 512 <> 0 THEN h.n ELSE 0 END, CASE WHEN h.held & 1024 <> 0 THEN h.n ELSE 0 END, CASE WHEN h.held & 2048 <> 0 THEN h.n ELSE 0 END
  FROM (VALUES (false, reached, 4097, CASE WHEN reached & 1 <> 0 THEN n ELSE 0 END), (true, ever, 4096, n)) h (of_ever, held, needs, n)
$$;

-- The sums of the journey once more, by heads: a line of a session where those have one for each state.
CREATE TABLE journey.headcounts (
    session_id     text NOT NULL,
    grain          text NOT NULL CHECK (grain IN ('all', 'year', 'month')),
    since          date NOT NULL, -- its first day; -infinity of all
    joined         date NOT NULL, -- month of enrolment, as in the sums
    of_ever        boolean NOT NULL, -- whoever was ever enrolled; else those who have not left
    paying         boolean NOT NULL, -- with a paid formula
    enrolled       bigint NOT NULL,
    started        bigint NOT NULL,
    diligent_first bigint NOT NULL,
    diligent_all   bigint NOT NULL,
    diligent_any   bigint NOT NULL,
    diligent_none  bigint NOT NULL,
    succeeded      bigint NOT NULL,
    eligible       bigint NOT NULL,
    booked         bigint NOT NULL,
    sat            bigint NOT NULL,
    passed         bigint NOT NULL,
    certified      bigint NOT NULL,
    PRIMARY KEY (grain, of_ever, session_id, since, joined, paying)
);
GRANT SELECT, INSERT, UPDATE ON journey.headcounts TO cursus_app;
INSERT INTO journey.headcounts
SELECT s.session_id, s.grain, s.since, s.joined, h.of_ever, h.paying, sum(h.enrolled), sum(h.started), sum(h.diligent_first), sum(h.diligent_all), sum(h.diligent_any), sum(h.diligent_none),
       sum(h.succeeded), sum(h.eligible), sum(h.booked), sum(h.sat), sum(h.passed), sum(h.certified)
  FROM journey.sums s CROSS JOIN LATERAL journey.heads(s.reached, s.ever, s.n) h WHERE h.enrolled <> 0
 GROUP BY 1, 2, 3, 4, 5, 6;

-- The heads of some sessions at one instant (9999-12-31: now), with all that is known.
CREATE FUNCTION journey.headcounts_at(sessions text[], true_at timestamptz, of_ever boolean)
RETURNS TABLE (session_id text, joined date, paying boolean, enrolled bigint, started bigint, diligent_first bigint, diligent_all bigint, diligent_any bigint, diligent_none bigint,
               succeeded bigint, eligible bigint, booked bigint, sat bigint, passed bigint, certified bigint) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT until, (true_at AT TIME ZONE 'UTC')::date AS day, date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month,
           date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year, true_at >= '9999-12-31 00:00+00' AS for_ever
      FROM journey.summed
), states AS ( -- what is not summed up that far
    SELECT d.session_id, d.joined, d.reached, d.ever, d.n FROM asked a JOIN journey.days d ON d.session_id = ANY(sessions) AND d.day >= a.month AND d.day < a.day WHERE NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.at >= a.day::timestamp AT TIME ZONE 'UTC' AND t.at <= true_at WHERE NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.recorded_at >= a.until::timestamp AT TIME ZONE 'UTC' AND t.at < a.day::timestamp AT TIME ZONE 'UTC'
), summed AS (
    SELECT h.* FROM asked a JOIN journey.headcounts h ON h.grain = 'all' AND h.of_ever = headcounts_at.of_ever WHERE a.for_ever
    UNION ALL
    SELECT h.* FROM asked a JOIN journey.headcounts h ON h.grain = 'year' AND h.of_ever = headcounts_at.of_ever AND h.since < a.year WHERE NOT a.for_ever
    UNION ALL
    SELECT h.* FROM asked a JOIN journey.headcounts h ON h.grain = 'month' AND h.of_ever = headcounts_at.of_ever AND h.since >= a.year AND h.since < a.month WHERE NOT a.for_ever
), heads AS (
    SELECT h.session_id, h.joined, h.paying, h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
      FROM summed h
    UNION ALL
    SELECT s.session_id, s.joined, h.paying, h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
      FROM states s CROSS JOIN LATERAL journey.heads(s.reached, s.ever, s.n) h WHERE h.of_ever = headcounts_at.of_ever AND h.enrolled <> 0
)
SELECT h.* FROM heads h WHERE h.session_id IN (SELECT unnest(sessions))
$$;

-- The cells of the cube once more, by heads: a line where those have one for each state. People are counted where they stand (first), money always.
CREATE TABLE analytics.totals (
    grain          text NOT NULL CHECK (grain IN ('all', 'year', 'month')),
    since          date NOT NULL, -- its first day; -infinity of all
    session_id     text NOT NULL,
    joined         date NOT NULL,
    offer_id       text NOT NULL,
    edition_id     text NOT NULL,
    partner        text NOT NULL,
    country        text NOT NULL,
    currency       text NOT NULL,
    of_ever        boolean NOT NULL,
    paying         boolean NOT NULL,
    enrolled       bigint NOT NULL,
    started        bigint NOT NULL,
    diligent_first bigint NOT NULL,
    diligent_all   bigint NOT NULL,
    diligent_any   bigint NOT NULL,
    diligent_none  bigint NOT NULL,
    succeeded      bigint NOT NULL,
    eligible       bigint NOT NULL,
    booked         bigint NOT NULL,
    sat            bigint NOT NULL,
    passed         bigint NOT NULL,
    certified      bigint NOT NULL,
    n              bigint NOT NULL, -- people and money joined
    gross          bigint NOT NULL,
    refunds        bigint NOT NULL,
    disputes       bigint NOT NULL,
    fees           bigint NOT NULL,
    costs          bigint NOT NULL,
    PRIMARY KEY (grain, of_ever, since, session_id, joined, offer_id, edition_id, partner, country, currency, paying)
);
GRANT SELECT, INSERT, UPDATE ON analytics.totals TO cursus_app;
INSERT INTO analytics.totals
SELECT c.grain, c.since, c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, h.of_ever, h.paying,
       sum(h.enrolled), sum(h.started), sum(h.diligent_first), sum(h.diligent_all), sum(h.diligent_any), sum(h.diligent_none), sum(h.succeeded), sum(h.eligible), sum(h.booked), sum(h.sat), sum(h.passed), sum(h.certified),
       sum(c.n), sum(c.gross), sum(c.refunds), sum(c.disputes), sum(c.fees), sum(c.costs)
  FROM analytics.cells c CROSS JOIN LATERAL journey.heads(c.reached, c.ever, CASE WHEN c.first THEN c.n ELSE 0 END) h
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11;

-- What is in the totals for some sessions (null: for all, and what belongs to none) at one instant (9999-12-31: now), with what touched it since they
-- were summed up.
CREATE FUNCTION analytics.totals_at(sessions text[], true_at timestamptz, of_ever boolean)
RETURNS TABLE (session_id text, joined date, offer_id text, edition_id text, partner text, country text, currency text, paying boolean,
               enrolled bigint, started bigint, diligent_first bigint, diligent_all bigint, diligent_any bigint, diligent_none bigint, succeeded bigint, eligible bigint, booked bigint, sat bigint, passed bigint, certified bigint,
               n bigint, gross bigint, refunds bigint, disputes bigint, fees bigint, costs bigint) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT true_at >= '9999-12-31 00:00+00' AS for_ever, date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month, date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year,
           ARRAY(SELECT id FROM platform.touched UNION SELECT g.enrolment_id FROM platform.touched t JOIN enrolment.grants g ON g.order_id = t.id) AS touched
), steps AS ( -- what is not summed up that far
    SELECT s.*, 1 AS sign FROM asked a JOIN analytics.steps s ON s.at >= a.month::timestamp AT TIME ZONE 'UTC' AND s.at <= true_at WHERE NOT a.for_ever
    UNION ALL
    SELECT s.*, -1 FROM asked a JOIN analytics.steps s ON s.id = ANY(a.touched) AND s.at <= true_at
    UNION ALL
    SELECT s.*, 1 FROM asked a CROSS JOIN LATERAL analytics.steps_of(a.touched) s WHERE s.at <= true_at
), totals AS (
    SELECT t.* FROM asked a JOIN analytics.totals t ON t.grain = 'all' AND t.of_ever = totals_at.of_ever WHERE a.for_ever
    UNION ALL
    SELECT t.* FROM asked a JOIN analytics.totals t ON t.grain = 'year' AND t.of_ever = totals_at.of_ever AND t.since < a.year WHERE NOT a.for_ever
    UNION ALL
    SELECT t.* FROM asked a JOIN analytics.totals t ON t.grain = 'month' AND t.of_ever = totals_at.of_ever AND t.since >= a.year AND t.since < a.month WHERE NOT a.for_ever
), moved AS (
    SELECT t.session_id, t.joined, t.offer_id, t.edition_id, t.partner, t.country, t.currency, t.paying,
           t.enrolled, t.started, t.diligent_first, t.diligent_all, t.diligent_any, t.diligent_none, t.succeeded, t.eligible, t.booked, t.sat, t.passed, t.certified,
           t.n, t.gross, t.refunds, t.disputes, t.fees, t.costs
      FROM totals t
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, h.paying,
           h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified,
           s.sign * s.n, s.sign * s.gross, s.sign * s.refunds, s.sign * s.disputes, s.sign * s.fees, s.sign * s.costs
      FROM steps s CROSS JOIN LATERAL journey.heads(s.reached, s.ever, CASE WHEN s.first THEN s.sign * s.n ELSE 0 END) h WHERE h.of_ever = totals_at.of_ever
)
SELECT m.* FROM moved m WHERE sessions IS NULL OR m.session_id IN (SELECT unnest(sessions))
$$;
