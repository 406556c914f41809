-- +goose Up
-- What moved the balance that a payment provider holds for us and was no payment of ours: payouts to the bank, fees of the account itself, and what other
-- systems on the same account did. One row of each movement, as the provider says; the ledger has each once.
CREATE TABLE payments.movements (
    id        text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255), -- the provider's
    provider  text NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('payout', 'fee', 'other')),
    minor     bigint NOT NULL, -- before the fee; negative where it went
    fee_minor bigint NOT NULL,
    currency  text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    moved_at  timestamptz NOT NULL,
    posted_at timestamptz NOT NULL,
    CHECK (minor <> 0 OR fee_minor <> 0)
);
CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.movements FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE payments.movements ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON payments.movements TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
GRANT SELECT, INSERT ON payments.movements TO cursus_app;

-- The provider's record is read once more from its beginning: the fees that are posted stay as they are.
DELETE FROM payments.fees_read;

INSERT INTO accounting.chart (prefix, number, title_en, title_fr) VALUES
    ('others:', '467800', 'Money of others on our account', 'Fonds de tiers sur notre compte');

-- What was kept of orders and stands with nobody yet.
CREATE INDEX entries_kept_of_nobody ON ledger.entries (order_id, account) INCLUDE (minor) WHERE enrolment_id IS NULL AND order_id IS NOT NULL AND account LIKE 'cost:fee:%';

-- What is kept apart in the waterfall: shares of partners, what a provider takes of the account, and tax.
CREATE INDEX entries_kept_apart ON ledger.entries (account) WHERE account LIKE 'cost:fee:partner:%' OR account LIKE 'cost:fee:%:account' OR account = 'revenue:tax';
