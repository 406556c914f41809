-- +goose Up
-- What a payment provider kept for itself of our payments, one row of each movement of its balance, as it says. The ledger has each once.
CREATE TABLE payments.fees (
    id         text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255), -- the provider's, of the movement
    provider   text NOT NULL,
    payment_id text NOT NULL REFERENCES payments.payments,
    kind       text NOT NULL CHECK (kind IN ('charge', 'refund', 'dispute')),
    minor      bigint NOT NULL CHECK (minor <> 0),                    -- negative where a fee came back
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),         -- of the balance
    charged_at timestamptz NOT NULL,
    posted_at  timestamptz NOT NULL
);
CREATE INDEX fees_by_payment ON payments.fees (payment_id);
CREATE TRIGGER fees_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.fees FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- How far each provider's record was read.
CREATE TABLE payments.fees_read (
    provider   text PRIMARY KEY,
    read_until timestamptz NOT NULL
);
ALTER TABLE payments.fees ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.fees_read ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON payments.fees TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON payments.fees_read TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT ON payments.fees TO cursus_app;
GRANT SELECT, INSERT, UPDATE ON payments.fees_read TO cursus_app;

INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES ('cost:fee', '627800', 'Fees of payment providers', 'Frais des prestataires de paiement');
