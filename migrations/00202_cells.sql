-- +goose Up
-- What somebody wrote about, for rooms above that keep sums: the id of an enrolment, of an order, or nothing for what belongs to neither. Whoever
-- writes it adds a row, and waits for nobody; whoever keeps sums takes the rows when what they name is in the sums.
CREATE TABLE platform.touched (id text NOT NULL);
GRANT SELECT, INSERT, DELETE ON platform.touched TO cursus_app;

-- +goose StatementBegin
CREATE FUNCTION platform.touch_enrolment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO platform.touched SELECT DISTINCT enrolment_id FROM fresh;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER changes_touch AFTER INSERT ON journey.changes REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_enrolment();
CREATE TRIGGER grants_touch AFTER INSERT ON enrolment.grants REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_enrolment();

-- +goose StatementBegin
CREATE FUNCTION ledger.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO platform.touched
    SELECT DISTINCT coalesce(enrolment_id, order_id, '') FROM fresh WHERE account IN ('revenue', 'refunds', 'disputes') OR account LIKE 'cost:%';
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entries_touch AFTER INSERT ON ledger.entries REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger.touch();

-- Of an order: who bought it, where the invoice goes, who took the money.
-- +goose StatementBegin
CREATE FUNCTION platform.touch_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO platform.touched SELECT DISTINCT order_id FROM fresh WHERE order_id IS NOT NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER billing_touch_new AFTER INSERT ON invoicing.billing REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_order();
CREATE TRIGGER billing_touch AFTER UPDATE ON invoicing.billing REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_order();
CREATE TRIGGER receipts_touch_new AFTER INSERT ON payments.receipts REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_order();
CREATE TRIGGER receipts_touch AFTER UPDATE ON payments.receipts REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_order();
CREATE TRIGGER parts_touch_new AFTER INSERT ON sales.parts REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_order();
CREATE TRIGGER parts_touch AFTER UPDATE ON sales.parts REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION platform.touch_order();

-- Money of nobody is found without going through the book.
CREATE INDEX entries_of_nobody ON ledger.entries (id) WHERE order_id IS NULL AND enrolment_id IS NULL;

CREATE SCHEMA analytics;
GRANT USAGE ON SCHEMA analytics TO cursus_app;

-- What an enrolment with money or a grant, or an order whose money has no enrolment, adds to the cells of the cube at each instant at which that
-- changes; what it added before, with a minus. n counts rows of people and money joined, of which one (first) is the person.
CREATE TABLE analytics.steps (
    id         text NOT NULL,
    at         timestamptz NOT NULL,
    session_id text NOT NULL, -- here and below: empty where there is none
    joined     date NOT NULL, -- first day of the month of acquisition; -infinity: none
    offer_id   text NOT NULL,
    edition_id text NOT NULL,
    partner    text NOT NULL,
    country    text NOT NULL,
    currency   text NOT NULL,
    reached    int NOT NULL,
    ever       int NOT NULL,
    first      boolean NOT NULL,
    n          bigint NOT NULL,
    gross      bigint NOT NULL,
    refunds    bigint NOT NULL,
    disputes   bigint NOT NULL,
    fees       bigint NOT NULL,
    costs      bigint NOT NULL
);
CREATE INDEX steps_by_id ON analytics.steps (id);
CREATE INDEX steps_by_at ON analytics.steps (at);
GRANT SELECT, INSERT, DELETE ON analytics.steps TO cursus_app;

-- The steps, summed up over all time, by year and by month of at.
CREATE TABLE analytics.cells (
    grain      text NOT NULL CHECK (grain IN ('all', 'year', 'month')),
    since      date NOT NULL, -- its first day; -infinity of all
    session_id text NOT NULL,
    joined     date NOT NULL,
    offer_id   text NOT NULL,
    edition_id text NOT NULL,
    partner    text NOT NULL,
    country    text NOT NULL,
    currency   text NOT NULL,
    reached    int NOT NULL,
    ever       int NOT NULL,
    first      boolean NOT NULL,
    n          bigint NOT NULL,
    gross      bigint NOT NULL,
    refunds    bigint NOT NULL,
    disputes   bigint NOT NULL,
    fees       bigint NOT NULL,
    costs      bigint NOT NULL,
    PRIMARY KEY (grain, since, session_id, joined, offer_id, edition_id, partner, country, currency, reached, ever, first)
);
CREATE INDEX empty_cells ON analytics.cells (grain) WHERE n = 0 AND gross = 0 AND refunds = 0 AND disputes = 0 AND fees = 0 AND costs = 0;
GRANT SELECT, INSERT, UPDATE, DELETE ON analytics.cells TO cursus_app;

-- The steps of some enrolments and orders, by all that is written: those of analytics.steps once what touched them was taken.
CREATE FUNCTION analytics.steps_of(ids text[]) RETURNS SETOF analytics.steps LANGUAGE sql STABLE AS $$
WITH entries AS (
    SELECT enrolment_id AS id, true AS enrolled, transaction_id, account, minor FROM ledger.entries WHERE enrolment_id = ANY(ids)
    UNION ALL
    SELECT order_id, false, transaction_id, account, minor FROM ledger.entries WHERE order_id = ANY(ids) AND enrolment_id IS NULL
    UNION ALL
    SELECT '', false, transaction_id, account, minor FROM ledger.entries WHERE order_id IS NULL AND enrolment_id IS NULL AND '' = ANY(ids)
), money AS (
    SELECT e.id, e.enrolled, t.currency, t.occurred_at AS at, -sum(e.minor) FILTER (WHERE e.account = 'revenue') AS gross,
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
    SELECT s.id, s.at, m.currency, sum(m.gross) AS gross, sum(m.refunds) AS refunds, sum(m.disputes) AS disputes, sum(m.fees) AS fees, sum(m.costs) AS costs
      FROM states s JOIN money m ON m.enrolled AND m.id = s.id AND m.at <= s.at GROUP BY s.id, s.at, m.currency
), facts AS (
    SELECT s.id, s.at, s.until, coalesce(j.session_id, '') AS session_id, s.joined, g.order_id, l.offer_id, l.edition_id, w.currency, s.reached, s.ever,
           s.begun AND row_number() OVER (PARTITION BY s.id, s.at ORDER BY w.gross DESC NULLS LAST, w.currency) = 1 AS first,
           1 AS n, w.gross, w.refunds, w.disputes, w.fees, w.costs
      FROM states s
      LEFT JOIN wealth w ON w.id = s.id AND w.at = s.at
      LEFT JOIN journey.enrolments j ON j.enrolment_id = s.id
      LEFT JOIN enrolment.grants g ON s.begun AND g.id = substr(s.best, 22)
      LEFT JOIN LATERAL (SELECT l.offer_id, l.edition_id FROM sales.parts p JOIN sales.lines l ON l.order_id = p.order_id AND l.line = p.line
                          WHERE p.order_id = g.order_id AND p.enrolment_id = g.enrolment_id ORDER BY l.line LIMIT 1) l ON true
     WHERE s.begun OR w.currency IS NOT NULL
    UNION ALL
    SELECT m.id, m.at, NULL, '', coalesce(date_trunc('month', d.paid_at AT TIME ZONE 'UTC')::date, '-infinity'), m.id, l.offer_id, l.edition_id, m.currency, 0, 0, false,
           (m.at = min(m.at) OVER (PARTITION BY m.id, m.currency))::int, m.gross, m.refunds, m.disputes, m.fees, m.costs
      FROM money m LEFT JOIN sales.orders d ON d.id = m.id LEFT JOIN sales.lines l ON l.order_id = m.id AND l.line = 1
     WHERE NOT m.enrolled
), signed AS (
    SELECT f.*, f.at AS since, 1 AS sign FROM facts f
    UNION ALL
    SELECT f.*, f.until, -1 FROM facts f WHERE f.until IS NOT NULL
)
SELECT s.id, s.since, s.session_id, s.joined, coalesce(s.offer_id, ''), coalesce(s.edition_id, ''), coalesce(d.organisation, r.organisation, ''),
       coalesce(b.buyer -> 'address' ->> 'country', ''), coalesce(s.currency, ''), s.reached, s.ever, s.first,
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

-- What was written before there were sums is taken with what is written next.
INSERT INTO platform.touched
SELECT enrolment_id FROM enrolment.grants
UNION SELECT coalesce(enrolment_id, order_id, '') FROM ledger.entries WHERE account IN ('revenue', 'refunds', 'disputes') OR account LIKE 'cost:%';
