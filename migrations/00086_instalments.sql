-- +goose Up
-- How an offer may be paid in instalments, in a currency. What was ordered keeps its plan: it is frozen with the order.
CREATE TABLE offers.plans (
    offer_id       text NOT NULL REFERENCES offers.offers,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    instalments    int NOT NULL CHECK (instalments BETWEEN 2 AND 24),
    every          int NOT NULL CHECK (every BETWEEN 1 AND 366),
    unit           text NOT NULL CHECK (unit IN ('day', 'month')),
    first_ppm      int CHECK (first_ppm BETWEEN 1 AND 999999), -- null: as much as the others
    least_minor    bigint NOT NULL CHECK (least_minor BETWEEN 0 AND 99999999), -- of the order
    on_default     text NOT NULL CHECK (on_default IN ('keep', 'suspend', 'end')),
    end_after_days int CHECK (end_after_days BETWEEN 1 AND 365),
    archived_at    timestamptz,
    version        int NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (offer_id, currency),
    CONSTRAINT plan_ends_after CHECK ((on_default = 'end') = (end_after_days IS NOT NULL))
);
GRANT SELECT, INSERT, UPDATE ON offers.plans TO cursus_app;

-- Which instalment a payment is for, and the provider's customer whose card it is; null: it is for all of its order.
ALTER TABLE payments.payments
    ADD COLUMN instalment  int CHECK (instalment BETWEEN 1 AND 24),
    ADD COLUMN customer_id text CHECK (length(customer_id) <= 255);

-- The plan of an order, frozen when it is ordered. Of the card the provider's ids are kept and nothing else.
CREATE TABLE sales.plans (
    order_id       text PRIMARY KEY REFERENCES sales.orders,
    on_default     text NOT NULL CHECK (on_default IN ('keep', 'suspend', 'end')),
    end_after_days int CHECK (end_after_days BETWEEN 1 AND 365),
    customer_id    text,
    method_id      text,
    agreed_at      timestamptz NOT NULL,
    CONSTRAINT order_plan_ends_after CHECK ((on_default = 'end') = (end_after_days IS NOT NULL))
);
CREATE TABLE sales.instalments (
    order_id     text NOT NULL REFERENCES sales.plans,
    n            int NOT NULL CHECK (n BETWEEN 1 AND 24),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    due_at       timestamptz NOT NULL,
    state        text NOT NULL CHECK (state IN ('planned', 'charging', 'refused', 'needs_authentication', 'defaulted', 'paid', 'canceled')),
    attempts     int NOT NULL DEFAULT 0,
    why          text NOT NULL DEFAULT '', -- the provider's code of the last refusal
    next_at      timestamptz,              -- when something is to be done; null: nothing by itself
    payment_id   text,                     -- of the last attempt, or that paid it
    reminded_at  timestamptz,
    settled_at   timestamptz,              -- paid or canceled
    PRIMARY KEY (order_id, n),
    CONSTRAINT settled_says_when CHECK ((settled_at IS NOT NULL) = (state IN ('paid', 'canceled')))
);
CREATE INDEX instalments_next ON sales.instalments (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX instalments_to_remind ON sales.instalments (due_at) WHERE state = 'planned' AND reminded_at IS NULL;
ALTER TABLE sales.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales.instalments ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.plans TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON sales.instalments TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.instalments FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
GRANT SELECT, INSERT, DELETE ON sales.plans, sales.instalments TO cursus_app; -- a plan of which nothing was paid goes when another way is chosen
GRANT UPDATE (customer_id, method_id) ON sales.plans TO cursus_app;
GRANT UPDATE (state, attempts, why, next_at, payment_id, reminded_at, settled_at) ON sales.instalments TO cursus_app;

-- What a grant does not open for now, because an instalment of its order was not paid: certificates, or all of it.
ALTER TABLE enrolment.grants ADD COLUMN hold text CONSTRAINT hold_known CHECK (hold IN ('certificate', 'all'));
GRANT UPDATE (hold) ON enrolment.grants TO cursus_app;

ALTER TABLE sales.orders DROP CONSTRAINT order_state_known,
    ADD CONSTRAINT order_state_known CHECK (state IN ('awaiting_payment', 'paid', 'expired', 'canceled', 'payment_mismatch',
        'partially_refunded', 'withdrawn', 'refunded', 'disputed', 'lost', 'defaulted'));
