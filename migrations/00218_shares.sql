-- +goose Up
-- What of the money of an order is a partner school's by an agreement, as the ledger has it: each row is a transaction there, under the row's id. What
-- is collected or goes back later, and an agreement that is written anew, add rows.
CREATE TABLE accounting.shares (
    id           text PRIMARY KEY CHECK (id LIKE 'shr\_%'),
    agreement    text NOT NULL REFERENCES accounting.agreements,
    order_id     text NOT NULL,
    organisation text NOT NULL REFERENCES identity.organisations,
    collects     text NOT NULL CHECK (collects IN ('institute', 'partner')),
    holder       text NOT NULL,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    minor        bigint NOT NULL CHECK (minor <> 0), -- negative where the money went back
    occurred_at  timestamptz NOT NULL,
    posted_at    timestamptz NOT NULL
);
CREATE INDEX shares_by_agreement ON accounting.shares (agreement, order_id);
CREATE INDEX shares_by_organisation ON accounting.shares (organisation);
CREATE TRIGGER shares_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON accounting.shares FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE accounting.shares ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON accounting.shares TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON accounting.shares TO cursus_app;

-- What was collected, by whomever, for orders in which an organisation has a part: its own, those of offers made for it, those that its desks took the
-- money of. by_partner: a desk of its own holds it.
CREATE FUNCTION accounting.collected_of(partner text) RETURNS TABLE (order_id text, minor bigint, occurred_at timestamptz, currency text, by_partner boolean) LANGUAGE sql STABLE AS $$
WITH theirs AS (
    SELECT o.id FROM sales.orders o WHERE o.organisation = partner
    UNION SELECT l.order_id FROM sales.lines l JOIN offers.offers f ON f.id = l.offer_id WHERE f.audience = partner
    UNION SELECT e.order_id FROM ledger.entries e JOIN accounting.agreements a ON a.organisation = partner AND a.collects = 'partner' AND e.account = 'clearing:' || a.holder
           WHERE e.order_id IS NOT NULL
)
SELECT e.order_id, e.minor, t.occurred_at, t.currency, EXISTS (SELECT 1 FROM accounting.agreements a WHERE a.organisation = partner AND e.account = 'clearing:' || a.holder)
  FROM theirs x JOIN ledger.entries e ON e.order_id = x.id JOIN ledger.transactions t ON t.id = e.transaction_id
 WHERE e.account LIKE 'clearing:%'
$$;

INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES
    ('cost:fee:partner', '622600', 'Shares of partner schools', 'Parts des écoles partenaires');
UPDATE accounting.chart SET title_en = 'Partner schools, shares due', title_fr = 'Écoles partenaires, parts dues' WHERE prefix = 'partner:';

COMMENT ON COLUMN export.outcome_cube.fees_minor IS 'Fees of payment providers, and shares of partner schools. | minor units of currency | ledger.entries, accounts cost:fee…';
