-- +goose Up
-- Reports of all sessions ask a thousand of them at once: finding what each has of today alone took longer than the sums.

-- What sum() gives as numeric, as a bigint: it says so where that is too small.
CREATE AGGREGATE platform.total(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, INITCOND = '0', PARALLEL = SAFE);

-- What many sessions have of a day. They are indexes of expressions, so that they are not taken for what is asked of one session.
CREATE INDEX tallies_by_day ON journey.tallies (((at AT TIME ZONE 'UTC')::date));
CREATE INDEX tallies_by_day_recorded ON journey.tallies (((recorded_at AT TIME ZONE 'UTC')::date));
CREATE INDEX days_by_day ON journey.days (day);
CREATE INDEX sums_by_grain ON journey.sums (grain, since) INCLUDE (session_id, joined, reached, ever, n);
ANALYZE journey.tallies;

-- Whether anything was sold through a sandbox: in a house that never did, all orders were read to find none.
CREATE INDEX orders_demo ON sales.orders (paid_at) INCLUDE (id) WHERE demo;

-- So many sessions are asked for one by one; of more, all are read, and those that were not asked for left out.
CREATE FUNCTION journey.many(sessions text[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(cardinality(sessions) > 30, true) $$;

CREATE OR REPLACE FUNCTION journey.headcounts_at(sessions text[], true_at timestamptz, of_ever boolean) -- sessions null: all
RETURNS TABLE (session_id text, joined date, paying boolean, enrolled bigint, started bigint, diligent_first bigint, diligent_all bigint, diligent_any bigint, diligent_none bigint,
               succeeded bigint, eligible bigint, booked bigint, sat bigint, passed bigint, certified bigint) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT until, (true_at AT TIME ZONE 'UTC')::date AS day, date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month,
           date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year, true_at >= '9999-12-31 00:00+00' AS for_ever, journey.many(sessions) AS many
      FROM journey.summed
), states AS ( -- what is not summed up that far
    SELECT d.session_id, d.joined, d.reached, d.ever, d.n
      FROM asked a JOIN journey.days d ON d.session_id = ANY(sessions) AND d.day >= a.month AND d.day < a.day WHERE NOT a.many AND NOT a.for_ever
    UNION ALL
    SELECT d.session_id, d.joined, d.reached, d.ever, d.n
      FROM asked a JOIN journey.days d ON d.day BETWEEN a.month AND a.day - 1 WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.at >= a.day::timestamp AT TIME ZONE 'UTC' AND t.at <= true_at WHERE NOT a.many AND NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON (t.at AT TIME ZONE 'UTC')::date BETWEEN a.day AND a.day AND t.at <= true_at WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.recorded_at >= a.until::timestamp AT TIME ZONE 'UTC' AND t.at < a.day::timestamp AT TIME ZONE 'UTC' WHERE NOT a.many
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON (t.recorded_at AT TIME ZONE 'UTC')::date BETWEEN a.until AND 'infinity' AND t.at < a.day::timestamp AT TIME ZONE 'UTC' WHERE a.many
), heads AS (
    SELECT h.session_id, h.joined, h.paying, h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
      FROM asked a JOIN journey.headcounts h ON h.grain = 'all' AND h.of_ever = headcounts_at.of_ever WHERE a.for_ever
    UNION ALL
    SELECT h.session_id, h.joined, h.paying, h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
      FROM asked a JOIN journey.headcounts h ON h.grain = 'year' AND h.of_ever = headcounts_at.of_ever AND h.since < a.year WHERE NOT a.for_ever
    UNION ALL
    SELECT h.session_id, h.joined, h.paying, h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
      FROM asked a JOIN journey.headcounts h ON h.grain = 'month' AND h.of_ever = headcounts_at.of_ever AND h.since >= a.year AND h.since < a.month WHERE NOT a.for_ever
    UNION ALL
    SELECT s.session_id, s.joined, h.paying, h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
      FROM states s CROSS JOIN LATERAL journey.heads(s.reached, s.ever, s.n) h WHERE h.of_ever = headcounts_at.of_ever AND h.enrolled <> 0
)
SELECT h.* FROM heads h WHERE sessions IS NULL OR h.session_id IN (SELECT unnest(sessions))
$$;

CREATE OR REPLACE FUNCTION journey.states_at(sessions text[], true_at timestamptz, known_at timestamptz)
RETURNS TABLE (session_id text, joined date, reached int, ever int, n int) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT least(until, (known_at AT TIME ZONE 'UTC')::date) AS until, (true_at AT TIME ZONE 'UTC')::date AS day,
           date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month, date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year,
           known_at >= '9999-12-31 00:00+00' AS all_known, true_at >= '9999-12-31 00:00+00' AS for_ever, journey.many(sessions) AS many
      FROM journey.summed
), states AS (
    SELECT x.session_id, x.joined, x.reached, x.ever, x.n
      FROM asked a JOIN journey.sums x ON x.session_id = ANY(sessions) AND x.grain = 'all' WHERE NOT a.many AND a.all_known AND a.for_ever
    UNION ALL
    SELECT x.session_id, x.joined, x.reached, x.ever, x.n
      FROM asked a JOIN journey.sums x ON x.grain = 'all' WHERE a.many AND a.all_known AND a.for_ever
    UNION ALL
    SELECT x.session_id, x.joined, x.reached, x.ever, x.n
      FROM asked a JOIN journey.sums x ON x.session_id = ANY(sessions) AND x.grain = 'year' AND x.since < a.year WHERE NOT a.many AND a.all_known AND NOT a.for_ever
    UNION ALL
    SELECT x.session_id, x.joined, x.reached, x.ever, x.n
      FROM asked a JOIN journey.sums x ON x.grain = 'year' AND x.since < a.year WHERE a.many AND a.all_known AND NOT a.for_ever
    UNION ALL
    SELECT x.session_id, x.joined, x.reached, x.ever, x.n
      FROM asked a JOIN journey.sums x ON x.session_id = ANY(sessions) AND x.grain = 'month' AND x.since >= a.year AND x.since < a.month WHERE NOT a.many AND a.all_known AND NOT a.for_ever
    UNION ALL
    SELECT x.session_id, x.joined, x.reached, x.ever, x.n
      FROM asked a JOIN journey.sums x ON x.grain = 'month' AND x.since >= a.year AND x.since < a.month WHERE a.many AND a.all_known AND NOT a.for_ever
    UNION ALL
    SELECT d.session_id, d.joined, d.reached, d.ever, d.n
      FROM asked a JOIN journey.days d ON d.session_id = ANY(sessions) AND d.day >= a.month AND d.day < a.day WHERE NOT a.many AND a.all_known AND NOT a.for_ever
    UNION ALL
    SELECT d.session_id, d.joined, d.reached, d.ever, d.n
      FROM asked a JOIN journey.days d ON d.day BETWEEN a.month AND a.day - 1 WHERE a.many AND a.all_known AND NOT a.for_ever
    UNION ALL
    SELECT d.session_id, d.joined, d.reached, d.ever, d.n
      FROM asked a JOIN journey.days d ON d.session_id = ANY(sessions) AND d.day < a.day AND d.known < a.until WHERE NOT a.all_known
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.at >= a.day::timestamp AT TIME ZONE 'UTC' AND t.at <= true_at AND t.recorded_at <= known_at WHERE NOT a.many AND NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON (t.at AT TIME ZONE 'UTC')::date BETWEEN a.day AND a.day AND t.at <= true_at AND t.recorded_at <= known_at WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON t.session_id = ANY(sessions) AND t.recorded_at >= a.until::timestamp AT TIME ZONE 'UTC' AND t.recorded_at <= known_at AND t.at < a.day::timestamp AT TIME ZONE 'UTC' WHERE NOT a.many
    UNION ALL
    SELECT t.session_id, t.joined, t.reached, t.ever, t.n
      FROM asked a JOIN journey.tallies t ON (t.recorded_at AT TIME ZONE 'UTC')::date BETWEEN a.until AND 'infinity' AND t.recorded_at <= known_at AND t.at < a.day::timestamp AT TIME ZONE 'UTC' WHERE a.many
)
SELECT s.* FROM states s WHERE s.session_id IN (SELECT unnest(sessions))
$$;

-- Of one session, or a few, the cells are found by these.
CREATE INDEX cells_by_session ON analytics.cells (session_id, grain, since);
CREATE OR REPLACE FUNCTION analytics.cells_at(sessions text[], true_at timestamptz)
RETURNS TABLE (session_id text, joined date, offer_id text, edition_id text, partner text, country text, currency text, reached int, ever int, first boolean,
               n bigint, gross bigint, refunds bigint, disputes bigint, fees bigint, costs bigint) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT true_at >= '9999-12-31 00:00+00' AS for_ever, date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month, date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year, journey.many(sessions) AS many,
           ARRAY(SELECT id FROM platform.touched UNION SELECT g.enrolment_id FROM platform.touched t JOIN enrolment.grants g ON g.order_id = t.id) AS touched
), moved AS (
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'all' WHERE a.many AND a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.session_id = ANY(sessions) AND c.grain = 'all' WHERE NOT a.many AND a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'year' AND c.since < a.year WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.session_id = ANY(sessions) AND c.grain = 'year' AND c.since < a.year WHERE NOT a.many AND NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'month' AND c.since >= a.year AND c.since < a.month WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.first, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.session_id = ANY(sessions) AND c.grain = 'month' AND c.since >= a.year AND c.since < a.month WHERE NOT a.many AND NOT a.for_ever
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
