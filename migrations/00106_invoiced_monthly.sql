-- +goose Up
-- A cohort whose school takes the places on its account: its learners are enrolled at once, and what they cost stands among what the school
-- owes; the statement of a month is what it pays. Their documents are made out to the school.
ALTER TABLE cohorts.cohorts DROP CONSTRAINT cohorts_agreement_check;
ALTER TABLE cohorts.cohorts ADD CONSTRAINT cohorts_agreement_check CHECK (agreement IN ('prepaid', 'pay_at_school', 'invoiced_monthly'));
ALTER TABLE sales.orders ADD COLUMN billed_to text REFERENCES identity.organisations; -- to whom its documents are made out; null: to who buys

-- Who is looked at again, every minute.
CREATE INDEX members_tried ON cohorts.members (tried_at) WHERE tried_at IS NOT NULL;
CREATE INDEX members_paying ON cohorts.members (order_id) WHERE state = 'waiting' AND waits_for = 'payment';
