-- +goose Up
-- A learner gives a place that she bought and has not begun to somebody else. The order, its invoice and what goes back stay hers; the
-- place, its enrolments and its share of the ledger are the other's.
ALTER TABLE sales.lines ADD COLUMN holder_id text REFERENCES identity.people; -- who follows it, where that is not the buyer any more
CREATE INDEX lines_by_holder ON sales.lines (holder_id) WHERE holder_id IS NOT NULL;
GRANT UPDATE (holder_id) ON sales.lines TO cursus_app;

CREATE TABLE sales.transfers (
    id         text PRIMARY KEY CHECK (id LIKE 'trf\_%'),
    order_id   text NOT NULL,
    line       int NOT NULL,
    from_id    text NOT NULL REFERENCES identity.people,
    email      text NOT NULL CHECK (length(email) BETWEEN 3 AND 254), -- of who is to have it
    to_id      text REFERENCES identity.people,                      -- who took it
    state      text NOT NULL CONSTRAINT transfer_state_known CHECK (state IN ('offered', 'accepted', 'withdrawn', 'lapsed')),
    offered_at timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    ended_at   timestamptz,
    FOREIGN KEY (order_id, line) REFERENCES sales.lines,
    CONSTRAINT offered_for_a_time CHECK (until > offered_at),
    CONSTRAINT ended_says_when CHECK ((state = 'offered') = (ended_at IS NULL)),
    CONSTRAINT accepted_by_somebody CHECK ((state = 'accepted') = (to_id IS NOT NULL))
);
CREATE UNIQUE INDEX one_transfer_at_a_time ON sales.transfers (order_id, line) WHERE state IN ('offered', 'accepted');
CREATE INDEX transfers_to ON sales.transfers (email) WHERE state = 'offered';
ALTER TABLE sales.transfers ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.transfers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.transfers FOR SELECT TO cursus_app USING (platform.actor() IN ('learner:' || from_id, 'learner:' || to_id));
GRANT SELECT, INSERT ON sales.transfers TO cursus_app;
GRANT UPDATE (state, to_id, ended_at) ON sales.transfers TO cursus_app;
