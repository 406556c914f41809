-- +goose Up
CREATE SCHEMA invoicing;
GRANT USAGE ON SCHEMA invoicing TO cursus_app;

-- The counter row is locked from the taking of a number to the end of the transaction: numbers have no gap.
CREATE TABLE invoicing.series (
    code   text PRIMARY KEY CHECK (code ~ '^[A-Z0-9-]{1,40}$'),
    issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 200),
    last   bigint NOT NULL DEFAULT 0,
    last_issued_at timestamptz
);
CREATE TABLE invoicing.documents (
    id           text PRIMARY KEY CHECK (id LIKE 'inv\_%'),
    series       text NOT NULL REFERENCES invoicing.series,
    number       bigint NOT NULL CHECK (number > 0),
    kind         text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    reference    text NOT NULL CONSTRAINT document_reference_once UNIQUE, -- what it is for: an order, a refund
    order_id     text NOT NULL, -- sales, above, owns it
    buyer_id     text NOT NULL REFERENCES identity.people,
    corrects     text REFERENCES invoicing.documents,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    facts        jsonb NOT NULL, -- buyer and lines as they were
    issued_at    timestamptz NOT NULL,
    UNIQUE (series, number),
    CHECK ((kind = 'credit_note') = (corrects IS NOT NULL))
);
CREATE INDEX documents_by_order ON invoicing.documents (order_id);
CREATE UNIQUE INDEX one_invoice_per_order ON invoicing.documents (order_id) WHERE kind = 'invoice';
CREATE TRIGGER documents_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoicing.documents
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE invoicing.documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON invoicing.documents TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON invoicing.documents FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || buyer_id);
GRANT SELECT, INSERT, UPDATE ON invoicing.series TO cursus_app;
GRANT SELECT, INSERT ON invoicing.documents TO cursus_app;
