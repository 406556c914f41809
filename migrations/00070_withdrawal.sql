-- +goose Up
-- The right to withdraw that an offer is sold with: 14 days for a consumer, 10 days of vocational training before which nothing may
-- be asked for, or none.
ALTER TABLE offers.offers ADD COLUMN withdrawal text NOT NULL DEFAULT 'consumer' CONSTRAINT withdrawal_known CHECK (withdrawal IN ('consumer', 'vocational', 'none'));

-- What was agreed with an order beside its lines; an order without a row is a consumer's who asked for nothing. begin_now is her
-- express request that it begin before the period is over, with what she owes then.
CREATE TABLE sales.terms (
    order_id     text PRIMARY KEY REFERENCES sales.orders,
    withdrawal   text NOT NULL CHECK (withdrawal IN ('consumer', 'vocational', 'none')),
    begin_now    boolean NOT NULL,
    payable_from timestamptz, -- not asked for before
    agreed_at    timestamptz NOT NULL
);
CREATE INDEX terms_not_payable_yet ON sales.terms (payable_from) WHERE payable_from IS NOT NULL;
CREATE TRIGGER terms_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sales.terms FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- A withdrawal as it was declared, and what the house answered: the receipt says what stands here, for ever.
CREATE TABLE sales.withdrawals (
    id           text PRIMARY KEY CHECK (id LIKE 'wdr\_%'),
    order_id     text NOT NULL CONSTRAINT one_withdrawal_per_order UNIQUE REFERENCES sales.orders,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email        text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    period_ends  timestamptz NOT NULL,
    refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
    kept_minor   bigint NOT NULL CHECK (kept_minor >= 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    declared_at  timestamptz NOT NULL,
    CONSTRAINT declared_in_time CHECK (declared_at < period_ends)
);
CREATE TRIGGER withdrawals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sales.withdrawals FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE sales.terms ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales.withdrawals ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.terms TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON sales.withdrawals TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.terms FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
CREATE POLICY own ON sales.withdrawals FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
GRANT SELECT, INSERT ON sales.terms, sales.withdrawals TO cursus_app;

ALTER TABLE sales.orders DROP CONSTRAINT order_state_known,
    ADD CONSTRAINT order_state_known CHECK (state IN ('awaiting_payment', 'paid', 'expired', 'canceled', 'payment_mismatch',
        'partially_refunded', 'withdrawn', 'refunded', 'disputed', 'lost'));
