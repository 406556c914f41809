-- +goose Up
-- The use of a voucher by a line of an order. It stands with the order: while that can be paid it is held, when it is paid it is
-- used, when the order expires, is cancelled or wholly given back it is free again, without a word here.
CREATE TABLE sales.redemptions (
    order_id   text NOT NULL REFERENCES sales.orders,
    line       int NOT NULL CHECK (line > 0),
    voucher_id text NOT NULL REFERENCES offers.vouchers,
    code       text NOT NULL REFERENCES offers.codes,
    buyer_id   text NOT NULL REFERENCES identity.people,
    uses       int NOT NULL CHECK (uses > 0), -- one for each unit of the line
    off_minor  bigint NOT NULL CHECK (off_minor > 0),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    at         timestamptz NOT NULL,
    PRIMARY KEY (order_id, line)
);
CREATE INDEX redemptions_by_voucher ON sales.redemptions (voucher_id, order_id, line);
CREATE INDEX redemptions_by_code ON sales.redemptions (code);
ALTER TABLE sales.redemptions ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.redemptions TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.redemptions FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || buyer_id);
GRANT SELECT, INSERT ON sales.redemptions TO cursus_app;
