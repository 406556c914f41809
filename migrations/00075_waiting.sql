-- +goose Up
-- The row of people who wait for an offer that is sold out. place is the order of joining, over all offers: they join under the locks of
-- what they wait for, so a lower place joined earlier. sessions are what the offer opened when she joined. A place that is offered is
-- hers until offered_until, and nobody else can buy it.
CREATE TABLE sales.waiting (
    id            text PRIMARY KEY CHECK (id LIKE 'wai\_%'),
    place         bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT one_person_per_place UNIQUE,
    offer_id      text NOT NULL REFERENCES offers.offers,
    edition_id    text REFERENCES programs.editions,
    sessions      text[] NOT NULL CHECK (cardinality(sessions) > 0),
    person_id     text NOT NULL REFERENCES identity.people,
    state         text NOT NULL DEFAULT 'waiting' CONSTRAINT waiting_state_known CHECK (state IN ('waiting', 'offered', 'taken', 'lapsed', 'left', 'passed_over')),
    joined_at     timestamptz NOT NULL,
    offered_at    timestamptz,
    offered_until timestamptz,
    ended_at      timestamptz,
    order_id      text REFERENCES sales.orders, -- with which the place was taken
    CONSTRAINT offered_for_a_time CHECK ((offered_at IS NULL) = (offered_until IS NULL) AND offered_until > offered_at),
    CONSTRAINT offered_says_when CHECK (state NOT IN ('offered', 'lapsed') OR offered_at IS NOT NULL),
    CONSTRAINT ended_says_when CHECK ((ended_at IS NULL) = (state IN ('waiting', 'offered'))),
    CONSTRAINT taken_says_with_what CHECK ((order_id IS NOT NULL) = (state = 'taken'))
);
CREATE UNIQUE INDEX waits_once ON sales.waiting (person_id, offer_id) WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_in_order ON sales.waiting (offer_id, place) WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_for_sessions ON sales.waiting USING gin (sessions) WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_for_editions ON sales.waiting (edition_id) WHERE state IN ('waiting', 'offered');
ALTER TABLE sales.waiting ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.waiting TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.waiting FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT ON sales.waiting TO cursus_app;
GRANT UPDATE (state, offered_at, offered_until, ended_at, order_id) ON sales.waiting TO cursus_app;

-- Places that are kept for who waited, beside what sales.standing says of orders: both together are what is taken.
CREATE VIEW sales.offered WITH (security_invoker = true) AS
SELECT w.id, w.offer_id, w.edition_id, w.sessions, w.person_id, w.offered_until AS held_until FROM sales.waiting w WHERE w.state = 'offered';
GRANT SELECT ON sales.offered TO cursus_app;
