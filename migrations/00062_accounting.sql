-- +goose Up
CREATE SCHEMA accounting;
GRANT USAGE ON SCHEMA accounting TO cursus_app;

-- What the accounts of the ledger are called in a chart of accounts: the longest prefix counts.
CREATE TABLE accounting.chart (
    prefix text PRIMARY KEY CHECK (length(prefix) BETWEEN 1 AND 60),
    number text NOT NULL CHECK (number ~ '^[0-9]{3,12}$'),
    title_en text NOT NULL CHECK (length(title_en) BETWEEN 1 AND 100),
    title_fr text NOT NULL CHECK (length(title_fr) BETWEEN 1 AND 100)
);
INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES
    ('receivable', '411000', 'Customers', 'Clients'),
    ('revenue', '706000', 'Training sold', 'Prestations de formation'),
    ('revenue:tax', '706900', 'VAT within revenue', 'TVA comprise dans les ventes'),
    ('refunds', '709600', 'Refunds granted', 'Remboursements accordés'),
    ('disputes', '654000', 'Lost disputes', 'Pertes sur contestations'),
    ('tax', '445710', 'VAT collected', 'TVA collectée'),
    ('clearing:', '467000', 'Money held for us', 'Fonds détenus pour notre compte'),
    ('clearing:stripe', '511700', 'Stripe, to be paid out', 'Stripe, à recevoir'),
    ('clearing:bank', '512000', 'Bank', 'Banque'),
    ('overpaid', '419100', 'Customers, paid too much', 'Clients, trop-perçus'),
    ('suspense', '471000', 'Suspense', 'Compte d’attente'),
    ('refunds_payable', '419700', 'Refunds to be paid again', 'Remboursements à reverser'),
    ('partner:', '467100', 'Shares paid to partners', 'Parts versées aux partenaires'),
    ('cost:', '611000', 'Costs', 'Charges'),
    ('cost:workshop', '611100', 'Workshop days', 'Journées d’atelier');

-- What a partner school and the institute agreed on: of what one of them collects, the share that is the school's.
CREATE TABLE accounting.agreements (
    key          text PRIMARY KEY CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    organisation text NOT NULL CONSTRAINT organisation_known REFERENCES identity.organisations,
    collects     text NOT NULL CHECK (collects IN ('institute', 'partner')),
    holder       text NOT NULL CHECK (holder ~ '^[a-z0-9_.-]+(:[a-z0-9_.-]+)*$' AND length(holder) <= 60), -- of the clearing account of the school's desk
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    share_ppm    int NOT NULL CONSTRAINT share_of_a_whole CHECK (share_ppm BETWEEN 0 AND 1000000), -- the school's
    valid_from   timestamptz NOT NULL,
    valid_until  timestamptz,
    version      int NOT NULL DEFAULT 1,
    CONSTRAINT agreement_dates CHECK (valid_until > valid_from)
);
CREATE INDEX agreements_by_organisation ON accounting.agreements (organisation, currency);

-- Money that a school and the institute paid to each other. The ledger has it too, under this row's id.
CREATE TABLE accounting.settlements (
    id           text PRIMARY KEY CHECK (id LIKE 'stl\_%'),
    organisation text NOT NULL REFERENCES identity.organisations,
    direction    text NOT NULL CHECK (direction IN ('from_partner', 'to_partner')),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reference    text NOT NULL CHECK (length(reference) BETWEEN 1 AND 100), -- the bank's
    settled_at   timestamptz NOT NULL,
    recorded_by  text NOT NULL,
    recorded_at  timestamptz NOT NULL,
    CONSTRAINT settlement_once UNIQUE (organisation, reference)
);
CREATE TRIGGER settlements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accounting.settlements
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- A comparison of the provider's book, the ledger, the orders, the enrolments and the documents.
CREATE TABLE accounting.runs (
    id        text PRIMARY KEY CHECK (id LIKE 'rec\_%'),
    asked_by  text NOT NULL,
    state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    asked_at  timestamptz NOT NULL,
    ended_at  timestamptz,
    caught_up int NOT NULL DEFAULT 0, -- events of the provider that had not reached us
    standing  int NOT NULL DEFAULT 0,
    fresh     int NOT NULL DEFAULT 0,
    resolved  int NOT NULL DEFAULT 0,
    note      text NOT NULL DEFAULT ''
);
CREATE TABLE accounting.differences (
    id           text PRIMARY KEY CHECK (id LIKE 'dif\_%'),
    kind         text NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    object       text NOT NULL CHECK (length(object) BETWEEN 1 AND 200), -- what differs: a payment, an order, an event, a currency
    order_id     text,
    payment_id   text,
    currency     text NOT NULL DEFAULT '',
    ours_minor   bigint NOT NULL,
    theirs_minor bigint NOT NULL,
    first_seen   timestamptz NOT NULL,
    last_seen    timestamptz NOT NULL,
    run_id       text NOT NULL REFERENCES accounting.runs,
    resolved_at  timestamptz
);
CREATE UNIQUE INDEX difference_once ON accounting.differences (kind, object) WHERE resolved_at IS NULL;
CREATE INDEX differences_by_run ON accounting.differences (run_id);

ALTER TABLE accounting.agreements ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounting.settlements ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounting.runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounting.differences ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON accounting.agreements TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON accounting.settlements TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON accounting.runs TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON accounting.differences TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT ON accounting.chart TO cursus_app;
GRANT SELECT, INSERT, UPDATE ON accounting.agreements, accounting.runs, accounting.differences TO cursus_app;
GRANT SELECT, INSERT ON accounting.settlements TO cursus_app;
