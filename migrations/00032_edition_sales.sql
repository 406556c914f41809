-- +goose Up
ALTER TABLE enrolment.memberships ADD CONSTRAINT membership_of_an_edition FOREIGN KEY (edition_id) REFERENCES programs.editions;
ALTER TABLE offers.offers ADD CONSTRAINT offer_on_an_edition FOREIGN KEY (edition_id) REFERENCES programs.editions;

-- An order is for a session or for an edition of a program; then it names the version that it promised.
ALTER TABLE sales.orders
    ALTER COLUMN session_id DROP NOT NULL,
    ADD COLUMN edition_id      text REFERENCES programs.editions,
    ADD COLUMN program_version int CHECK (program_version > 0),
    ADD COLUMN membership_id   text REFERENCES enrolment.memberships,
    ADD CONSTRAINT order_for_one_thing CHECK (num_nonnulls(session_id, edition_id) = 1),
    ADD CONSTRAINT order_names_its_version CHECK ((edition_id IS NULL) = (program_version IS NULL));
CREATE INDEX orders_by_edition ON sales.orders (edition_id) WHERE edition_id IS NOT NULL;
CREATE INDEX orders_by_offer ON sales.orders (offer_id, state);
GRANT UPDATE (membership_id) ON sales.orders TO cursus_app;

-- What an order on an edition consists of: the sessions as they were promised, the weight of each in the price, and, once it is
-- paid, its enrolment and its share of the money. The shares of an order sum to its total, what was credited of them to what
-- was credited of it.
CREATE TABLE sales.parts (
    order_id       text NOT NULL REFERENCES sales.orders,
    position       int NOT NULL,
    session_id     text NOT NULL REFERENCES catalog.sessions,
    weight         bigint NOT NULL CHECK (weight >= 0),
    enrolment_id   text REFERENCES enrolment.enrolments,
    sold_minor     bigint NOT NULL DEFAULT 0,
    credited_minor bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, position),
    CONSTRAINT part_once UNIQUE (order_id, session_id),
    CONSTRAINT never_credited_more_than_its_share CHECK (credited_minor BETWEEN 0 AND sold_minor)
);
CREATE INDEX parts_by_session ON sales.parts (session_id);
ALTER TABLE sales.parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.parts TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.parts FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id AND platform.actor() = 'learner:' || o.buyer_id));
GRANT SELECT, INSERT ON sales.parts TO cursus_app;
GRANT UPDATE (enrolment_id, sold_minor, credited_minor) ON sales.parts TO cursus_app;
