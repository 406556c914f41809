-- +goose Up
-- A bank may ask before it takes anything (inquiry → closed, or opened); what it gives as its reason, and until when it takes an answer.
ALTER TABLE payments.disputes DROP CONSTRAINT disputes_state_check,
    ADD CONSTRAINT dispute_state_known CHECK (state IN ('inquiry', 'closed', 'opened', 'won', 'lost')),
    ADD COLUMN reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 100),
    ADD COLUMN answer_by timestamptz;
