-- +goose Up
-- An offer is prepared, read by somebody else, and put on sale, like everything that staff publish. Its terms never change.
ALTER TABLE offers.offers ADD COLUMN publication text NOT NULL DEFAULT 'published'
    CONSTRAINT offer_publication CHECK (publication IN ('draft', 'review', 'published', 'archived'));
UPDATE offers.offers SET publication = 'archived' WHERE withdrawn_at IS NOT NULL;
ALTER TABLE offers.offers ALTER COLUMN publication DROP DEFAULT,
    ADD CONSTRAINT offer_withdrawn_is_archived CHECK ((publication = 'archived') = (withdrawn_at IS NOT NULL));
GRANT UPDATE (publication) ON offers.offers TO cursus_app;
-- Next year's price is prepared while this year's is on sale: only what is published is one of its kind.
DROP INDEX offers.one_offer_per_formula_and_currency;
CREATE UNIQUE INDEX one_offer_per_formula_and_currency
    ON offers.offers (coalesce(session_id, edition_id), formula, currency, coalesce(audience, '')) WHERE publication = 'published';
