-- +goose Up
CREATE SCHEMA payments;
GRANT USAGE ON SCHEMA payments TO cursus_app;

CREATE TABLE payments.payments (
    id               text PRIMARY KEY CHECK (id LIKE 'pay\_%'),
    order_id         text NOT NULL, -- sales, above, owns it
    provider         text NOT NULL CHECK (length(provider) BETWEEN 1 AND 40),
    demo             boolean NOT NULL,
    amount_minor     bigint NOT NULL CHECK (amount_minor > 0),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    state            text NOT NULL CHECK (state IN ('created', 'open', 'pending', 'captured', 'failed', 'expired', 'surplus', 'mismatch')),
    description      text NOT NULL CHECK (length(description) <= 500),
    email            text NOT NULL DEFAULT '',
    lang             text NOT NULL DEFAULT 'en',
    checkout_id      text CONSTRAINT checkout_once UNIQUE,
    intent_id        text CONSTRAINT intent_once UNIQUE,
    pay_url          text NOT NULL DEFAULT '' CHECK (length(pay_url) <= 4000),
    method           text NOT NULL DEFAULT '',
    expires_at       timestamptz NOT NULL,
    captured_minor   bigint NOT NULL DEFAULT 0,
    captured_currency text,
    refunded_minor   bigint NOT NULL DEFAULT 0,
    lost_minor       bigint NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    captured_at      timestamptz,
    CONSTRAINT never_back_more_than_came CHECK (refunded_minor >= 0 AND lost_minor >= 0 AND refunded_minor + lost_minor <= captured_minor)
);
CREATE INDEX payments_by_order ON payments.payments (order_id);
CREATE INDEX payments_unfinished ON payments.payments (expires_at) WHERE state IN ('created', 'open', 'pending');

CREATE TABLE payments.refunds (
    id              text PRIMARY KEY CHECK (id LIKE 'ref\_%'),
    payment_id      text NOT NULL REFERENCES payments.payments,
    amount_minor    bigint NOT NULL CHECK (amount_minor > 0),
    state           text NOT NULL CHECK (state IN ('requested', 'pending', 'succeeded', 'failed')),
    provider_refund text CONSTRAINT provider_refund_once UNIQUE,
    reason          text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    requested_by    text NOT NULL,
    requested_at    timestamptz NOT NULL,
    settled_at      timestamptz
);
CREATE INDEX refunds_by_payment ON payments.refunds (payment_id);

CREATE TABLE payments.disputes (
    id           text PRIMARY KEY,
    payment_id   text NOT NULL REFERENCES payments.payments,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state        text NOT NULL CHECK (state IN ('opened', 'won', 'lost')),
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz
);
CREATE INDEX disputes_by_payment ON payments.disputes (payment_id);

-- What the provider told us, as it came. A row here is what a 2xx to the webhook promises.
CREATE TABLE payments.events (
    id          text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255),
    type        text NOT NULL CHECK (length(type) <= 255),
    api_version text NOT NULL,
    live        boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    raw         bytea NOT NULL,
    state       text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'applied', 'ignored', 'refused')),
    handled_at  timestamptz,
    note        text NOT NULL DEFAULT ''
);
CREATE INDEX events_waiting ON payments.events (received_at) WHERE state = 'received';

-- Only the house sees these; a learner sees her order.
ALTER TABLE payments.payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.disputes ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON payments.payments TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON payments.refunds TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON payments.disputes TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON payments.events TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT, UPDATE ON payments.payments, payments.refunds, payments.disputes, payments.events TO cursus_app;
