-- +goose Up
-- The card that a charge asks is that of when it was asked for, whatever card is left meanwhile: asked again after a crash, the provider is told
-- the same, and finds under the same customer what it has made already.
ALTER TABLE payments.payments ADD COLUMN method_id text CHECK (length(method_id) <= 255);
