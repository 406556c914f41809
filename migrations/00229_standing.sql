-- +goose Up
-- Money in two currencies. Each enrolment counts once, where it stands first: in the currency in which it paid first. What it paid in another, or cost
-- there, is of the same person nevertheless, and what came to a learner is of all who paid in that currency, what she cost of all who cost something in
-- it. So what the person is to the money of a row is said for each row: she counts there (first), paid there too (paid), or is only a cost there (cost);
-- nothing, where the money is of no enrolment that began.
DROP FUNCTION analytics.cells_at(text[], timestamptz);
DROP FUNCTION analytics.totals_at(text[], timestamptz, boolean);

-- Who has money in two currencies is summed up again.
INSERT INTO platform.touched SELECT DISTINCT id FROM analytics.steps WHERE NOT first AND session_id <> '';

ALTER TABLE analytics.steps ALTER COLUMN first TYPE text USING CASE WHEN first THEN 'first' ELSE '' END;
ALTER TABLE analytics.steps RENAME COLUMN first TO standing;
ALTER TABLE analytics.cells ALTER COLUMN first TYPE text USING CASE WHEN first THEN 'first' ELSE '' END;
ALTER TABLE analytics.cells RENAME COLUMN first TO standing;
ALTER TABLE analytics.totals ADD COLUMN standing text NOT NULL DEFAULT '';
ALTER TABLE analytics.totals ALTER COLUMN standing DROP DEFAULT;
ALTER TABLE analytics.totals DROP CONSTRAINT totals_pkey;
TRUNCATE analytics.totals;
INSERT INTO analytics.totals (grain, since, session_id, joined, offer_id, edition_id, partner, country, currency, of_ever, paying,
       enrolled, started, diligent_first, diligent_all, diligent_any, diligent_none, succeeded, eligible, booked, sat, passed, certified, n, gross, refunds, disputes, fees, costs, standing)
SELECT c.grain, c.since, c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, h.of_ever, h.paying,
       sum(h.enrolled), sum(h.started), sum(h.diligent_first), sum(h.diligent_all), sum(h.diligent_any), sum(h.diligent_none), sum(h.succeeded), sum(h.eligible), sum(h.booked), sum(h.sat), sum(h.passed), sum(h.certified),
       sum(c.n), sum(c.gross), sum(c.refunds), sum(c.disputes), sum(c.fees), sum(c.costs), c.standing
  FROM analytics.cells c CROSS JOIN LATERAL journey.heads(c.reached, c.ever, CASE WHEN c.standing = '' THEN 0 ELSE c.n END) h
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, c.standing;
ALTER TABLE analytics.totals ADD PRIMARY KEY (grain, of_ever, since, session_id, joined, offer_id, edition_id, partner, country, currency, paying, standing);
ANALYZE analytics.steps;
ANALYZE analytics.cells;
ANALYZE analytics.totals;

-- The steps of some enrolments and orders, by all that is written.
CREATE OR REPLACE FUNCTION analytics.steps_of(ids text[]) RETURNS SETOF analytics.steps LANGUAGE sql STABLE AS $$
WITH entries AS (
    SELECT enrolment_id AS id, true AS enrolled, transaction_id, account, minor FROM ledger.entries WHERE enrolment_id = ANY(ids)
    UNION ALL
    SELECT order_id, false, transaction_id, account, minor FROM ledger.entries WHERE order_id = ANY(ids) AND enrolment_id IS NULL
    UNION ALL
    SELECT '', false, transaction_id, account, minor FROM ledger.entries WHERE order_id IS NULL AND enrolment_id IS NULL AND '' = ANY(ids)
), money AS (
    SELECT e.id, e.enrolled, t.currency, t.occurred_at AS at, bool_or(e.account = 'revenue' AND e.minor < 0) AS sold, -sum(e.minor) FILTER (WHERE e.account = 'revenue') AS gross,
           sum(e.minor) FILTER (WHERE e.account = 'refunds') AS refunds, sum(e.minor) FILTER (WHERE e.account = 'disputes') AS disputes,
           sum(e.minor) FILTER (WHERE e.account LIKE 'cost:fee%') AS fees,
           sum(e.minor) FILTER (WHERE e.account LIKE 'cost:%' AND e.account NOT LIKE 'cost:fee%') AS costs
      FROM entries e JOIN ledger.transactions t ON t.id = e.transaction_id
     WHERE e.account IN ('revenue', 'refunds', 'disputes') OR e.account LIKE 'cost:%'
     GROUP BY e.id, e.enrolled, t.currency, t.occurred_at
), granted AS ( -- the best grant of an instant is what was bought last, a paid one before others
    SELECT enrolment_id AS id, granted_at AS at,
           max(CASE WHEN qualifying THEN '1' ELSE '0' END || to_char(granted_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') || id) AS best
      FROM enrolment.grants WHERE enrolment_id = ANY(ids) GROUP BY enrolment_id, granted_at
), told AS (
    SELECT c.enrolment_id AS id, t.bit, c.reached::int AS reached, c.at, c.seq
      FROM (SELECT id FROM money WHERE enrolled UNION SELECT id FROM granted) p
      JOIN journey.changes c ON c.enrolment_id = p.id JOIN journey.stages t ON t.stage = c.stage
), turns AS (
    SELECT id, at, sum(turn) AS turn
      FROM (SELECT id, at, (reached - coalesce(lag(reached) OVER (PARTITION BY id, bit ORDER BY at, seq), 0)) << bit AS turn FROM told) t GROUP BY id, at
), points AS (
    SELECT id, at FROM turns UNION SELECT id, at FROM money WHERE enrolled UNION SELECT id, at FROM granted
), carried AS (
    SELECT p.id, p.at, lead(p.at) OVER w AS until, coalesce(sum(t.turn) OVER w, 0)::int AS reached, max(t.at) OVER w IS NOT NULL AS begun, max(g.best) OVER w AS best
      FROM points p LEFT JOIN turns t ON t.id = p.id AND t.at = p.at LEFT JOIN granted g ON g.id = p.id AND g.at = p.at
    WINDOW w AS (PARTITION BY p.id ORDER BY p.at)
), states AS (
    SELECT c.*, bit_or(reached) OVER w AS ever, coalesce(date_trunc('month', min(at) FILTER (WHERE reached & 1 <> 0) OVER w AT TIME ZONE 'UTC')::date, '-infinity') AS joined
      FROM carried c WINDOW w AS (PARTITION BY id ORDER BY at)
), wealth AS (
    SELECT s.id, s.at, m.currency, min(m.at) FILTER (WHERE m.sold) AS paid_at, sum(m.gross) AS gross, sum(m.refunds) AS refunds, sum(m.disputes) AS disputes, sum(m.fees) AS fees, sum(m.costs) AS costs
      FROM states s JOIN money m ON m.enrolled AND m.id = s.id AND m.at <= s.at GROUP BY s.id, s.at, m.currency
), facts AS (
    SELECT s.id, s.at, s.until, coalesce(j.session_id, '') AS session_id, s.joined, g.order_id, l.offer_id, l.edition_id, w.currency, s.reached, s.ever,
           CASE WHEN NOT s.begun THEN '' WHEN row_number() OVER (PARTITION BY s.id, s.at ORDER BY w.paid_at NULLS LAST, w.currency) = 1 THEN 'first'
                WHEN w.paid_at IS NOT NULL THEN 'paid' ELSE 'cost' END AS standing,
           1 AS n, w.gross, w.refunds, w.disputes, w.fees, w.costs
      FROM states s
      LEFT JOIN wealth w ON w.id = s.id AND w.at = s.at
      LEFT JOIN journey.enrolments j ON j.enrolment_id = s.id
      LEFT JOIN enrolment.grants g ON s.begun AND g.id = substr(s.best, 22)
      LEFT JOIN LATERAL (SELECT l.offer_id, l.edition_id FROM sales.parts p JOIN sales.lines l ON l.order_id = p.order_id AND l.line = p.line
                          WHERE p.order_id = g.order_id AND p.enrolment_id = g.enrolment_id ORDER BY l.line LIMIT 1) l ON true
     WHERE s.begun OR w.currency IS NOT NULL
    UNION ALL
    SELECT m.id, m.at, NULL, '', coalesce(date_trunc('month', d.paid_at AT TIME ZONE 'UTC')::date, '-infinity'), m.id, l.offer_id, l.edition_id, m.currency, 0, 0, '',
           (m.at = min(m.at) OVER (PARTITION BY m.id, m.currency))::int, m.gross, m.refunds, m.disputes, m.fees, m.costs
      FROM money m LEFT JOIN sales.orders d ON d.id = m.id LEFT JOIN sales.lines l ON l.order_id = m.id AND l.line = 1
     WHERE NOT m.enrolled
), signed AS (
    SELECT f.*, f.at AS since, 1 AS sign FROM facts f
    UNION ALL
    SELECT f.*, f.until, -1 FROM facts f WHERE f.until IS NOT NULL
)
SELECT s.id, s.since, s.session_id, s.joined, coalesce(s.offer_id, ''), coalesce(s.edition_id, ''), coalesce(d.organisation, r.organisation, ''),
       coalesce(b.buyer -> 'address' ->> 'country', ''), coalesce(s.currency, ''), s.reached, s.ever, s.standing,
       sum(s.sign * s.n)::bigint, coalesce(sum(s.sign * s.gross), 0)::bigint, coalesce(sum(s.sign * s.refunds), 0)::bigint,
       coalesce(sum(s.sign * s.disputes), 0)::bigint, coalesce(sum(s.sign * s.fees), 0)::bigint, coalesce(sum(s.sign * s.costs), 0)::bigint
  FROM signed s
  LEFT JOIN sales.orders d ON d.id = s.order_id
  LEFT JOIN invoicing.billing b ON b.order_id = s.order_id
  LEFT JOIN LATERAL (SELECT r.organisation FROM payments.receipts r WHERE r.order_id = s.order_id AND r.organisation IS NOT NULL ORDER BY r.id LIMIT 1) r ON true
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
HAVING sum(s.sign * s.n) <> 0 OR sum(s.sign * s.gross) <> 0 OR sum(s.sign * s.refunds) <> 0 OR sum(s.sign * s.disputes) <> 0 OR sum(s.sign * s.fees) <> 0
    OR sum(s.sign * s.costs) <> 0
$$;

-- The steps of those who were touched since, for the statements that ask for them: there a long one stood in a longer one, twice, was planned again on
-- each connection, and made ready for each question, while mostly nobody was touched. As a function that is not taken apart it is asked where there is somebody.
-- +goose StatementBegin
CREATE FUNCTION analytics.steps_touched(ids text[]) RETURNS SETOF analytics.steps LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY SELECT * FROM analytics.steps_of(ids);
END $$;
-- +goose StatementEnd

-- What is in the totals for some sessions (null: for all, and what belongs to none) at one instant (9999-12-31: now), with what touched it since they
-- were summed up.
CREATE FUNCTION analytics.totals_at(sessions text[], true_at timestamptz, of_ever boolean)
RETURNS TABLE (session_id text, joined date, offer_id text, edition_id text, partner text, country text, currency text, paying boolean, standing text,
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
    SELECT s.*, 1 FROM asked a CROSS JOIN LATERAL analytics.steps_touched(a.touched) s WHERE cardinality(a.touched) > 0 AND s.at <= true_at
), totals AS (
    SELECT t.* FROM asked a JOIN analytics.totals t ON t.grain = 'all' AND t.of_ever = totals_at.of_ever WHERE a.for_ever
    UNION ALL
    SELECT t.* FROM asked a JOIN analytics.totals t ON t.grain = 'year' AND t.of_ever = totals_at.of_ever AND t.since < a.year WHERE NOT a.for_ever
    UNION ALL
    SELECT t.* FROM asked a JOIN analytics.totals t ON t.grain = 'month' AND t.of_ever = totals_at.of_ever AND t.since >= a.year AND t.since < a.month WHERE NOT a.for_ever
), moved AS (
    SELECT t.session_id, t.joined, t.offer_id, t.edition_id, t.partner, t.country, t.currency, t.paying, t.standing,
           t.enrolled, t.started, t.diligent_first, t.diligent_all, t.diligent_any, t.diligent_none, t.succeeded, t.eligible, t.booked, t.sat, t.passed, t.certified,
           t.n, t.gross, t.refunds, t.disputes, t.fees, t.costs
      FROM totals t
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, h.paying, s.standing,
           h.enrolled, h.started, h.diligent_first, h.diligent_all, h.diligent_any, h.diligent_none, h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified,
           s.sign * s.n, s.sign * s.gross, s.sign * s.refunds, s.sign * s.disputes, s.sign * s.fees, s.sign * s.costs
      FROM steps s CROSS JOIN LATERAL journey.heads(s.reached, s.ever, CASE WHEN s.standing = '' THEN 0 ELSE s.sign * s.n END) h WHERE h.of_ever = totals_at.of_ever
)
SELECT m.* FROM moved m WHERE sessions IS NULL OR m.session_id IN (SELECT unnest(sessions))
$$;

-- The cells, in the same way.
CREATE FUNCTION analytics.cells_at(sessions text[], true_at timestamptz)
RETURNS TABLE (session_id text, joined date, offer_id text, edition_id text, partner text, country text, currency text, reached int, ever int, standing text,
               n bigint, gross bigint, refunds bigint, disputes bigint, fees bigint, costs bigint) LANGUAGE sql STABLE AS $$
WITH asked AS MATERIALIZED (
    SELECT true_at >= '9999-12-31 00:00+00' AS for_ever, date_trunc('month', true_at AT TIME ZONE 'UTC')::date AS month, date_trunc('year', true_at AT TIME ZONE 'UTC')::date AS year, journey.many(sessions) AS many,
           ARRAY(SELECT id FROM platform.touched UNION SELECT g.enrolment_id FROM platform.touched t JOIN enrolment.grants g ON g.order_id = t.id) AS touched
), moved AS (
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.standing, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'all' WHERE a.many AND a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.standing, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.session_id = ANY(sessions) AND c.grain = 'all' WHERE NOT a.many AND a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.standing, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'year' AND c.since < a.year WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.standing, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.session_id = ANY(sessions) AND c.grain = 'year' AND c.since < a.year WHERE NOT a.many AND NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.standing, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.grain = 'month' AND c.since >= a.year AND c.since < a.month WHERE a.many AND NOT a.for_ever
    UNION ALL
    SELECT c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, c.reached, c.ever, c.standing, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      FROM asked a JOIN analytics.cells c ON c.session_id = ANY(sessions) AND c.grain = 'month' AND c.since >= a.year AND c.since < a.month WHERE NOT a.many AND NOT a.for_ever
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, s.reached, s.ever, s.standing, s.n, s.gross, s.refunds, s.disputes, s.fees, s.costs
      FROM asked a JOIN analytics.steps s ON s.at >= a.month::timestamp AT TIME ZONE 'UTC' AND s.at <= true_at WHERE NOT a.for_ever
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, s.reached, s.ever, s.standing, -s.n, -s.gross, -s.refunds, -s.disputes, -s.fees, -s.costs
      FROM asked a JOIN analytics.steps s ON s.id = ANY(a.touched) AND s.at <= true_at
    UNION ALL
    SELECT s.session_id, s.joined, s.offer_id, s.edition_id, s.partner, s.country, s.currency, s.reached, s.ever, s.standing, s.n, s.gross, s.refunds, s.disputes, s.fees, s.costs
      FROM asked a CROSS JOIN LATERAL analytics.steps_touched(a.touched) s WHERE cardinality(a.touched) > 0 AND s.at <= true_at
)
SELECT m.* FROM moved m WHERE sessions IS NULL OR m.session_id IN (SELECT unnest(sessions))
$$;
