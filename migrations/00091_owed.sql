-- +goose Up
-- A refund that arrived and then came back leaves its buyer owed: the credit note stands and the money is with us. What of it is still owed
-- is said here, so that whatever pays it (a later refund, a lost dispute, a transfer that two persons vouch for) pays that first, and no
-- order gives back more than its lines have.
ALTER TABLE payments.refunds
    ADD COLUMN owed_minor bigint NOT NULL DEFAULT 0,         -- of one that came back
    ADD COLUMN settles_minor bigint NOT NULL DEFAULT 0,      -- of one that arrived: what of it had been owed
    ADD COLUMN excess_minor bigint NOT NULL DEFAULT 0,       -- of one that arrived: what was too much, and is owed to us
    ADD COLUMN repaid_minor bigint NOT NULL DEFAULT 0,       -- of one that came back: what was paid otherwise
    ADD COLUMN repaid_reference text CONSTRAINT repaid_once UNIQUE CHECK (length(repaid_reference) BETWEEN 1 AND 100),
    ADD COLUMN repayment_by text,                            -- who said that it was paid otherwise
    ADD COLUMN repaid_by text,                               -- and who agreed
    ADD COLUMN repaid_at timestamptz,
    ADD CONSTRAINT owed_of_what_came_back CHECK (owed_minor >= 0 AND repaid_minor >= 0 AND owed_minor + repaid_minor <= CASE state WHEN 'failed' THEN amount_minor ELSE 0 END),
    ADD CONSTRAINT settles_of_what_arrived CHECK (settles_minor >= 0 AND excess_minor >= 0 AND settles_minor + excess_minor <= amount_minor),
    ADD CONSTRAINT repaid_by_another CHECK (repaid_by IS NULL OR repaid_by <> repayment_by),
    ADD CONSTRAINT repaid_by_two CHECK ((repaid_minor > 0) = (repaid_at IS NOT NULL) AND (repaid_at IS NULL OR repaid_by IS NOT NULL AND repaid_reference IS NOT NULL));
UPDATE payments.refunds r SET owed_minor = r.amount_minor
 WHERE r.state = 'failed' AND EXISTS (SELECT 1 FROM ledger.transactions t WHERE t.reference = r.id || ':refund-failed');
CREATE INDEX refunds_owed ON payments.refunds (payment_id) WHERE owed_minor > 0;
