-- +goose Up
-- Seats of an organisation that are given back: their money goes apart from that of the others, and once it has gone the places are free.
ALTER TABLE sales.lines ADD COLUMN returned int NOT NULL DEFAULT 0 CONSTRAINT never_returned_more_than_bought CHECK (returned BETWEEN 0 AND quantity);
GRANT UPDATE (returned) ON sales.lines TO cursus_app;
ALTER TABLE sales.seats ADD COLUMN refund_id text REFERENCES payments.refunds; -- with which its money goes or went
CREATE INDEX seats_by_refund ON sales.seats (refund_id) WHERE refund_id IS NOT NULL;
GRANT UPDATE (refund_id) ON sales.seats TO cursus_app;

-- A refund may be of one seat of a line; seat 0 is all of the line.
ALTER TABLE sales.refund_lines ADD COLUMN seat int NOT NULL DEFAULT 0 CHECK (seat >= 0),
    DROP CONSTRAINT refund_lines_pkey, ADD PRIMARY KEY (refund_id, line, seat);
