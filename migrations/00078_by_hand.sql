-- +goose Up
-- Money that comes without the provider: to the bank, or at the desk of a partner school. The payment of such an order is one row of
-- payments, as any: it collects until the sum is there, so that refunds, checks and statements know one kind of payment. What came,
-- piece by piece, stands in receipts: a transfer may belong to no order, or be one of several.
ALTER TABLE payments.payments
    DROP CONSTRAINT payments_provider_check,
    ADD CONSTRAINT holder_named CHECK (length(provider) BETWEEN 1 AND 60), -- as long as that of an agreement
    ADD COLUMN by_hand boolean NOT NULL DEFAULT false,
    ADD COLUMN pay_reference text CONSTRAINT pay_reference_once UNIQUE CHECK (pay_reference ~ '^RF[0-9]{2}[0-9A-Z]{1,21}$'), -- ISO 11649
    ADD COLUMN buyer_reference text NOT NULL DEFAULT '' CHECK (length(buyer_reference) <= 60); -- of a purchase order
CREATE SEQUENCE payments.pay_references START 1001;
GRANT USAGE ON SEQUENCE payments.pay_references TO cursus_app;

-- A refund that undoes what a desk recorded; nobody is asked to send money.
ALTER TABLE payments.refunds ADD COLUMN reversal boolean NOT NULL DEFAULT false;

CREATE TABLE payments.receipts (
    id           text PRIMARY KEY CHECK (id LIKE 'rcv\_%'),
    holder       text NOT NULL CHECK (length(holder) BETWEEN 1 AND 60), -- of the clearing account: bank, or a desk
    organisation text REFERENCES identity.organisations,                -- of a desk
    way          text NOT NULL CHECK (way IN ('desk', 'transfer')),
    reference    text NOT NULL CHECK (length(reference) BETWEEN 1 AND 100), -- of the bank or of the desk
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payer        text NOT NULL DEFAULT '' CHECK (length(payer) <= 200),
    label        text NOT NULL DEFAULT '' CHECK (length(label) <= 500),
    received_at  timestamptz NOT NULL,
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    order_id     text,                                -- sales, above, owns it
    payment_id   text REFERENCES payments.payments,   -- which it paid
    surplus_id   text REFERENCES payments.payments,   -- what of it nobody asked for
    state        text NOT NULL CHECK (state IN ('unmatched', 'counted', 'sent_back')),
    sent_back    text CHECK (length(sent_back) BETWEEN 1 AND 100), -- reference of the bank
    settled_by   text,
    settled_at   timestamptz,
    CONSTRAINT received_once UNIQUE (holder, reference),
    CONSTRAINT counted_for_an_order CHECK ((state = 'counted') = (order_id IS NOT NULL)),
    CONSTRAINT desk_of_a_school CHECK ((way = 'desk') = (organisation IS NOT NULL))
);
CREATE INDEX receipts_by_state ON payments.receipts (state, id);
CREATE INDEX receipts_by_order ON payments.receipts (order_id);
CREATE INDEX receipts_by_desk ON payments.receipts (organisation, id) WHERE organisation IS NOT NULL;

-- The paper that proves it, byte for byte.
CREATE TABLE payments.proofs (
    receipt_id text PRIMARY KEY REFERENCES payments.receipts,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg')),
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    content    bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 2097152)
);
CREATE TRIGGER proofs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.proofs FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

ALTER TABLE payments.receipts ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.proofs ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON payments.receipts TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON payments.proofs TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON payments.receipts, payments.proofs TO cursus_app;
GRANT UPDATE (order_id, payment_id, surplus_id, state, sent_back, settled_by, settled_at) ON payments.receipts TO cursus_app;

-- Who takes money at the desk of which school.
ALTER TABLE identity.roles DROP CONSTRAINT role_known,
    ADD CONSTRAINT role_known CHECK (role IN ('catalogue', 'sales', 'refund', 'exams', 'certificates', 'analytics', 'cashier', 'admin'));
CREATE TABLE identity.cashiers (
    organisation text NOT NULL CONSTRAINT organisation_known REFERENCES identity.organisations,
    person_id    text NOT NULL REFERENCES identity.people,
    since        timestamptz NOT NULL,
    PRIMARY KEY (organisation, person_id)
);
ALTER TABLE identity.cashiers ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.cashiers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT, DELETE ON identity.cashiers TO cursus_app;

-- What a buyer paid of an order that is not paid in full yet.
INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES ('advances', '419110', 'Customers, paid in advance', 'Clients, acomptes reçus');
