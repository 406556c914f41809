-- +goose Up
-- Further prices of an offer beside its own, which always holds: in another currency, for a time, for the first buyers, for the
-- members of an organisation. The best one that holds is taken. A row can be rewritten: an order keeps what it was quoted.
CREATE TABLE offers.prices (
    id          text PRIMARY KEY CHECK (id LIKE 'prc\_%'),
    offer_id    text NOT NULL REFERENCES offers.offers,
    label_en    text NOT NULL DEFAULT '' CHECK (length(label_en) <= 80),
    label_fr    text NOT NULL DEFAULT '' CHECK (length(label_fr) <= 80),
    price_minor bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 99999999),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    valid_from  timestamptz,
    valid_until timestamptz,
    audience    text CONSTRAINT price_audience_known REFERENCES identity.organisations, -- null: whoever may take the offer
    early_until int CONSTRAINT price_early CHECK (early_until BETWEEN 1 AND 1000000),   -- until so many of the offer were sold
    archived_at timestamptz,
    version     int NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    CONSTRAINT price_window_ordered CHECK (valid_until > valid_from)
);
CREATE INDEX prices_by_offer ON offers.prices (offer_id);
GRANT SELECT, INSERT, UPDATE ON offers.prices TO cursus_app;

-- The terms of a voucher: a share or an amount per currency off each unit, where it holds and how often. Under it stand its
-- codes: one of its own, or a batch of codes that each work once.
CREATE TABLE offers.vouchers (
    id           text PRIMARY KEY CHECK (id LIKE 'vch\_%'),
    kind         text NOT NULL CHECK (kind IN ('code', 'batch')),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    percent_ppm  int CHECK (percent_ppm BETWEEN 1 AND 1000000),
    use_limit    int CONSTRAINT voucher_limit CHECK (use_limit BETWEEN 1 AND 1000000),       -- null: no limit
    per_person   int CONSTRAINT voucher_per_person CHECK (per_person BETWEEN 1 AND 1000000), -- null: no limit
    offer_ids    text[] NOT NULL DEFAULT '{}', -- with the next two: on one of these; all empty: on anything
    session_ids  text[] NOT NULL DEFAULT '{}',
    edition_ids  text[] NOT NULL DEFAULT '{}',
    formulas     text[] NOT NULL DEFAULT '{}', -- and of one of these; empty: of any
    organisation text CONSTRAINT voucher_organisation_known REFERENCES identity.organisations, -- and for its members alone
    valid_from   timestamptz,
    valid_until  timestamptz,
    archived_at  timestamptz,
    version      int NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    CONSTRAINT voucher_window_ordered CHECK (valid_until > valid_from)
);
CREATE TABLE offers.voucher_amounts (
    voucher_id   text NOT NULL REFERENCES offers.vouchers,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 99999999),
    PRIMARY KEY (voucher_id, currency)
);
-- What is typed is folded to one form, which is the key: to find a code is one step down an index, however many there are.
CREATE TABLE offers.codes (
    code       text PRIMARY KEY CONSTRAINT code_folded CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{4,32}$'),
    voucher_id text NOT NULL REFERENCES offers.vouchers,
    shown      text NOT NULL CHECK (length(shown) BETWEEN 4 AND 40), -- as it is printed
    position   int NOT NULL
);
CREATE UNIQUE INDEX codes_by_voucher ON offers.codes (voucher_id, position);
-- Who is not staff cannot list codes; a quote looks one up as the house.
ALTER TABLE offers.vouchers ENABLE ROW LEVEL SECURITY;
ALTER TABLE offers.voucher_amounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE offers.codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON offers.vouchers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON offers.voucher_amounts TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON offers.codes TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON offers.vouchers, offers.voucher_amounts, offers.codes TO cursus_app;
GRANT UPDATE (name, use_limit, per_person, offer_ids, session_ids, edition_ids, formulas, organisation, valid_from, valid_until, archived_at, version)
    ON offers.vouchers TO cursus_app;
