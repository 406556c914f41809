-- +goose Up
-- An order is a header now: who buys, how she pays, how much in all, and where it stands. What she buys are its lines; what a line
-- promises are its parts, one for each session, and an enrolment's money always comes from parts.
CREATE TABLE sales.lines (
    order_id        text NOT NULL REFERENCES sales.orders,
    line            int NOT NULL CONSTRAINT at_most_twenty_lines CHECK (line BETWEEN 1 AND 20),
    offer_id        text NOT NULL REFERENCES offers.offers,
    session_id      text REFERENCES catalog.sessions,
    edition_id      text REFERENCES programs.editions,
    program_version int CHECK (program_version > 0),
    formula         text NOT NULL,
    entitlements    text[] NOT NULL,
    qualifying      boolean NOT NULL,
    quantity        int NOT NULL CHECK (quantity BETWEEN 1 AND 10000),
    list_minor      bigint NOT NULL CHECK (list_minor >= 0),  -- the price of one, as it was quoted
    discount_minor  bigint NOT NULL DEFAULT 0,                -- off the whole line
    discount_reason text NOT NULL DEFAULT '' CHECK (length(discount_reason) <= 200),
    total_minor     bigint NOT NULL CHECK (total_minor >= 0),
    credited_minor  bigint NOT NULL DEFAULT 0,                -- the sum of its parts', kept for its readers
    membership_id   text REFERENCES enrolment.memberships,    -- of a line on an edition that its buyer follows herself
    PRIMARY KEY (order_id, line),
    CONSTRAINT line_for_one_thing CHECK (num_nonnulls(session_id, edition_id) = 1),
    CONSTRAINT line_names_its_version CHECK ((edition_id IS NULL) = (program_version IS NULL)),
    CONSTRAINT never_credited_more_than_its_line CHECK (credited_minor BETWEEN 0 AND total_minor),
    CONSTRAINT line_adds_up CHECK (total_minor = quantity * list_minor - discount_minor),
    CONSTRAINT discount_has_its_reason CHECK ((discount_minor = 0) = (discount_reason = ''))
);
INSERT INTO sales.lines (order_id, line, offer_id, session_id, edition_id, program_version, formula, entitlements, qualifying, quantity, list_minor, total_minor, credited_minor, membership_id)
SELECT id, 1, offer_id, session_id, edition_id, program_version, formula, entitlements, qualifying, 1, total_minor, total_minor, credited_minor, membership_id FROM sales.orders;
CREATE INDEX lines_by_offer ON sales.lines (offer_id);
CREATE INDEX lines_by_session ON sales.lines (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX lines_by_edition ON sales.lines (edition_id) WHERE edition_id IS NOT NULL;
ALTER TABLE sales.lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.lines TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.lines FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
GRANT SELECT, INSERT ON sales.lines TO cursus_app;
GRANT UPDATE (membership_id, credited_minor) ON sales.lines TO cursus_app;

-- A part is frozen with the order, its share of the money too; the enrolment comes when it is paid. Seat 0 is the line itself: what
-- its buyer follows, or what of a pool nobody has claimed yet.
ALTER TABLE sales.parts
    ADD COLUMN line int NOT NULL DEFAULT 1,
    ADD COLUMN seat int NOT NULL DEFAULT 0 CHECK (seat >= 0),
    DROP CONSTRAINT part_once,
    DROP CONSTRAINT parts_pkey,
    ADD PRIMARY KEY (order_id, line, seat, position),
    DROP CONSTRAINT parts_order_id_fkey,
    ADD CONSTRAINT part_of_a_line FOREIGN KEY (order_id, line) REFERENCES sales.lines;
ALTER TABLE sales.parts ALTER COLUMN line DROP DEFAULT, ALTER COLUMN seat DROP DEFAULT, ALTER COLUMN sold_minor DROP DEFAULT;
CREATE UNIQUE INDEX session_once_in_an_order ON sales.parts (order_id, session_id) WHERE seat = 0;
DROP POLICY own ON sales.parts;
CREATE POLICY own ON sales.parts FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));

-- What was asked for and not paid has its shares too now, by largest remainder, ties to the earlier part.
WITH asked AS (
    SELECT p.order_id, p.position, o.total_minor, CASE WHEN sum(p.weight) OVER w = 0 THEN 1 ELSE p.weight END::numeric AS weight
      FROM sales.parts p JOIN sales.orders o ON o.id = p.order_id
     WHERE o.paid_at IS NULL
    WINDOW w AS (PARTITION BY p.order_id)
), cut AS (
    SELECT order_id, position, total_minor, div(total_minor * weight, sum(weight) OVER w) AS whole, mod(total_minor * weight, sum(weight) OVER w) AS rest
      FROM asked
    WINDOW w AS (PARTITION BY order_id)
), share AS (
    SELECT order_id, position,
           whole + CASE WHEN row_number() OVER (PARTITION BY order_id ORDER BY rest DESC, position) <= total_minor - sum(whole) OVER (PARTITION BY order_id) THEN 1 ELSE 0 END AS minor
      FROM cut
)
UPDATE sales.parts p SET sold_minor = s.minor FROM share s WHERE s.order_id = p.order_id AND s.position = p.position;
INSERT INTO sales.parts (order_id, line, seat, position, session_id, weight, enrolment_id, sold_minor, credited_minor)
SELECT id, 1, 0, 1, session_id, 1, enrolment_id, total_minor, credited_minor FROM sales.orders WHERE session_id IS NOT NULL;

ALTER TABLE sales.orders
    ADD COLUMN placed_by    text REFERENCES identity.people, -- of staff who ordered on behalf of the buyer
    ADD COLUMN organisation text REFERENCES identity.organisations,
    ADD COLUMN way          text NOT NULL DEFAULT 'card' CONSTRAINT way_known CHECK (way IN ('free', 'card', 'desk', 'transfer', 'purchase_order', 'instalments')),
    DROP COLUMN offer_id, DROP COLUMN session_id, DROP COLUMN edition_id, DROP COLUMN program_version, DROP COLUMN formula, DROP COLUMN entitlements,
    DROP COLUMN qualifying, DROP COLUMN enrolment_id, DROP COLUMN membership_id;
UPDATE sales.orders SET way = 'free' WHERE total_minor = 0;
ALTER TABLE sales.orders ALTER COLUMN way DROP DEFAULT, ADD CONSTRAINT free_costs_nothing CHECK ((way = 'free') = (total_minor = 0));
CREATE INDEX orders_open ON sales.orders (buyer_id) WHERE state = 'awaiting_payment';
CREATE INDEX orders_by_organisation ON sales.orders (organisation, id) WHERE organisation IS NOT NULL;
GRANT UPDATE (way, expires_at) ON sales.orders TO cursus_app;

-- An order may make members of several editions, and, of an organisation's seats, several people members of one.
ALTER TABLE enrolment.memberships DROP CONSTRAINT one_membership_per_order,
    ADD CONSTRAINT one_membership_per_order UNIQUE (order_id, edition_id, learner_id);
