-- +goose Up
-- In whose name documents are written. A document freezes what it says of its issuer, so these rows may change.
CREATE TABLE invoicing.issuers (
    key                text PRIMARY KEY CHECK (key ~ '^[A-Z0-9]{1,12}$'),
    legal_name         text NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
    legal_form         text NOT NULL DEFAULT '' CHECK (length(legal_form) <= 200),
    street             text NOT NULL DEFAULT '' CHECK (length(street) <= 300), -- lines of the address
    post_code          text NOT NULL DEFAULT '' CHECK (length(post_code) <= 20),
    city               text NOT NULL DEFAULT '' CHECK (length(city) <= 100),
    country            text NOT NULL DEFAULT 'FR' CHECK (country ~ '^[A-Z]{2}$'),
    registration       text NOT NULL DEFAULT '' CHECK (length(registration) <= 40),        -- SIRET in France
    registration_label text NOT NULL DEFAULT 'SIRET' CHECK (length(registration_label) <= 40),
    activity_number    text NOT NULL DEFAULT '' CHECK (length(activity_number) <= 40),     -- of a training organisation
    vat_number         text NOT NULL DEFAULT '' CHECK (vat_number ~ '^([A-Z]{2}[A-Z0-9]{2,13})?$'),
    email              text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    phone              text NOT NULL DEFAULT '' CHECK (length(phone) <= 40),
    bank               text NOT NULL DEFAULT '' CHECK (length(bank) <= 100),
    iban               text NOT NULL DEFAULT '' CHECK (iban ~ '^([A-Z]{2}[0-9]{2}[A-Z0-9]{8,30})?$'),
    bic                text NOT NULL DEFAULT '' CHECK (bic ~ '^([A-Z0-9]{8}([A-Z0-9]{3})?)?$'),
    terms_en           text NOT NULL DEFAULT '' CHECK (length(terms_en) <= 1000), -- at the foot of every document
    terms_fr           text NOT NULL DEFAULT '' CHECK (length(terms_fr) <= 1000),
    series_invoice     text NOT NULL DEFAULT '{issuer}-{year}',
    series_credit_note text NOT NULL DEFAULT '{issuer}-{year}',
    series_proforma    text NOT NULL DEFAULT 'PF-{issuer}-{year}',
    series_receipt     text NOT NULL DEFAULT 'R-{issuer}-{year}',
    version            int NOT NULL DEFAULT 1,
    updated_at         timestamptz NOT NULL,
    CONSTRAINT issuer_series CHECK (series_invoice ~ '^([A-Z0-9]+-)*\{issuer\}-\{year\}$' AND series_credit_note ~ '^([A-Z0-9]+-)*\{issuer\}-\{year\}$'
        AND series_proforma ~ '^([A-Z0-9]+-)*\{issuer\}-\{year\}$' AND series_receipt ~ '^([A-Z0-9]+-)*\{issuer\}-\{year\}$'
        AND series_proforma NOT IN (series_invoice, series_credit_note, series_receipt) AND series_receipt NOT IN (series_invoice, series_credit_note))
);

-- What an issuer writes about tax, and when. A line takes the regime that its offer names, or else the issuer's fallback.
CREATE TABLE invoicing.regimes (
    issuer      text NOT NULL CONSTRAINT issuer_known REFERENCES invoicing.issuers,
    key         text NOT NULL CHECK (key ~ '^[a-z0-9-]{1,40}$'),
    valid_from  date NOT NULL,
    valid_until date, -- the first day on which it no longer holds
    category    text NOT NULL CHECK (category IN ('S', 'Z', 'E', 'O', 'AE', 'G')), -- UNCL 5305
    rate_ppm    int NOT NULL CHECK (rate_ppm BETWEEN 0 AND 1000000),
    reason_code text NOT NULL DEFAULT '' CHECK (length(reason_code) <= 40),        -- VATEX
    mention_en  text NOT NULL DEFAULT '' CHECK (length(mention_en) <= 500),
    mention_fr  text NOT NULL DEFAULT '' CHECK (length(mention_fr) <= 500),
    fallback    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (issuer, key, valid_from),
    CONSTRAINT regime_dates CHECK (valid_until > valid_from),
    CONSTRAINT regime_rate CHECK ((category = 'S') = (rate_ppm > 0)),
    CONSTRAINT regime_says_why CHECK (category IN ('S', 'Z') OR length(mention_en) > 0 AND length(mention_fr) > 0)
);

-- Who sells what: an offer's issuer goes before that of the organisation that buys or is served, and that before the house's own.
CREATE TABLE invoicing.sellers (
    kind   text NOT NULL CHECK (kind IN ('offer', 'organisation')),
    ref    text NOT NULL CHECK (length(ref) BETWEEN 1 AND 40), -- rooms above own these
    issuer text NOT NULL CONSTRAINT issuer_known REFERENCES invoicing.issuers,
    regime text CHECK (regime ~ '^[a-z0-9-]{1,40}$'),
    PRIMARY KEY (kind, ref)
);

-- To whom an order's documents are made out, as the buyer says until the invoice is issued.
CREATE TABLE invoicing.billing (
    order_id   text PRIMARY KEY,
    person_id  text NOT NULL REFERENCES identity.people,
    buyer      jsonb NOT NULL,
    version    int NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL
);
ALTER TABLE invoicing.billing ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON invoicing.billing TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON invoicing.billing FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);

-- Documents on paper, as they were printed once.
CREATE TABLE invoicing.files (
    document_id text PRIMARY KEY REFERENCES invoicing.documents,
    pdf         bytea NOT NULL,
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    made_at     timestamptz NOT NULL
);
CREATE TRIGGER files_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoicing.files
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE invoicing.files ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON invoicing.files TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON invoicing.files FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM invoicing.documents d WHERE d.id = document_id AND platform.actor() = 'learner:' || d.buyer_id));

-- A series belongs to one issuer.
ALTER TABLE invoicing.series ADD COLUMN issuer_key text;
UPDATE invoicing.series SET issuer_key = regexp_replace(regexp_replace(code, '^DEMO-', ''), '-[0-9]{4}$', '');
ALTER TABLE invoicing.series ALTER COLUMN issuer_key SET NOT NULL;

ALTER TABLE invoicing.documents DROP CONSTRAINT documents_kind_check,
    ADD CONSTRAINT document_kind_known CHECK (kind IN ('invoice', 'credit_note', 'proforma', 'receipt'));
CREATE INDEX documents_by_time ON invoicing.documents (issued_at, id);
CREATE INDEX documents_by_buyer ON invoicing.documents (buyer_id);

-- Accounts may have two words, such as refunds_payable.
ALTER TABLE ledger.entries DROP CONSTRAINT entries_account_check, ADD CONSTRAINT account_named CHECK (account ~ '^[a-z_]+(:[a-z0-9_.-]+)*$');

GRANT SELECT, INSERT, UPDATE ON invoicing.issuers, invoicing.billing TO cursus_app;
GRANT SELECT, INSERT, DELETE ON invoicing.regimes, invoicing.sellers TO cursus_app;
GRANT UPDATE (issuer, regime) ON invoicing.sellers TO cursus_app;
GRANT SELECT, INSERT ON invoicing.files TO cursus_app;
