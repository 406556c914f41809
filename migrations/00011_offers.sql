-- +goose Up
CREATE SCHEMA offers;
GRANT USAGE ON SCHEMA offers TO cursus_app;

-- A formula is a way to follow a session: what it opens, as data.
CREATE TABLE offers.formulas (
    key          text PRIMARY KEY CHECK (key ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    entitlements text[] NOT NULL CONSTRAINT entitlements_known
                 CHECK (entitlements <@ ARRAY['knowledge', 'practice', 'know_how', 'labs', 'extra_content', 'proctored_exam', 'certificate']),
    qualifying   boolean NOT NULL, -- counts among the paying learners of the reports
    position     int NOT NULL
);
INSERT INTO offers.formulas (key, entitlements, qualifying, position) VALUES
    ('DISCOVERY', '{knowledge}', false, 1),
    ('QUALIFYING', '{knowledge,practice,know_how,labs,extra_content,proctored_exam,certificate}', true, 2);

CREATE TABLE offers.offers (
    id           text PRIMARY KEY CHECK (id LIKE 'off\_%'),
    session_id   text NOT NULL REFERENCES catalog.sessions,
    formula      text NOT NULL CONSTRAINT offer_formula_known REFERENCES offers.formulas,
    price_minor  bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 99999999),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    valid_from   timestamptz,
    valid_until  timestamptz,
    withdrawn_at timestamptz,
    created_at   timestamptz NOT NULL,
    CONSTRAINT offer_window_ordered CHECK (valid_until >= valid_from)
);
CREATE UNIQUE INDEX one_offer_per_formula_and_currency ON offers.offers (session_id, formula, currency) WHERE withdrawn_at IS NULL;
-- A price is never edited: an offer is withdrawn and another is made, so that what was offered stays known.
GRANT SELECT ON offers.formulas TO cursus_app;
GRANT SELECT, INSERT ON offers.offers TO cursus_app;
GRANT UPDATE (withdrawn_at) ON offers.offers TO cursus_app;
