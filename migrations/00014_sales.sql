-- +goose Up
CREATE SCHEMA sales;
GRANT USAGE ON SCHEMA sales TO cursus_app;

-- An order freezes what was quoted: a later change of the offer or the formula does not reach it.
CREATE TABLE sales.orders (
    id             text PRIMARY KEY CHECK (id LIKE 'ord\_%'),
    buyer_id       text NOT NULL REFERENCES identity.people,
    offer_id       text NOT NULL REFERENCES offers.offers,
    session_id     text NOT NULL REFERENCES catalog.sessions,
    formula        text NOT NULL,
    entitlements   text[] NOT NULL,
    qualifying     boolean NOT NULL,
    total_minor    bigint NOT NULL CHECK (total_minor >= 0),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    credited_minor bigint NOT NULL DEFAULT 0,
    state          text NOT NULL,
    lang           text NOT NULL CHECK (lang IN ('en', 'fr')),
    demo           boolean NOT NULL,
    enrolment_id   text REFERENCES enrolment.enrolments,
    payment_id     text REFERENCES payments.payments,
    placed_at      timestamptz NOT NULL,
    expires_at     timestamptz,
    paid_at        timestamptz,
    CONSTRAINT order_state_known CHECK (state IN ('awaiting_payment', 'paid', 'expired', 'canceled', 'payment_mismatch',
        'partially_refunded', 'refunded', 'disputed', 'lost')),
    CONSTRAINT never_credited_more_than_sold CHECK (credited_minor BETWEEN 0 AND total_minor)
);
CREATE INDEX orders_by_buyer ON sales.orders (buyer_id, id);
CREATE INDEX orders_by_session ON sales.orders (session_id);
CREATE INDEX orders_open ON sales.orders (buyer_id, offer_id) WHERE state = 'awaiting_payment';
ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.orders TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.orders FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || buyer_id);
GRANT SELECT, INSERT ON sales.orders TO cursus_app;
GRANT UPDATE (state, credited_minor, enrolment_id, payment_id, paid_at) ON sales.orders TO cursus_app;
