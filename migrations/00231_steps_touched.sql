-- +goose Up
-- The steps of those who were touched since, for the statements that ask for them: there a long one stood in a longer one, twice, was planned again on
-- each connection, and made ready for each question, while mostly nobody was touched. As a function that is not taken apart it is asked where there is somebody.
-- +goose StatementBegin
CREATE FUNCTION analytics.steps_touched(ids text[]) RETURNS SETOF analytics.steps LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY SELECT * FROM analytics.steps_of(ids);
END $$;
-- +goose StatementEnd

CREATE OR REPLACE FUNCTION analytics.totals_at(sessions text[], true_at timestamptz, of_ever boolean)
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

CREATE OR REPLACE FUNCTION analytics.cells_at(sessions text[], true_at timestamptz)
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
