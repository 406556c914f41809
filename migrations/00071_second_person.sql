-- +goose Up
-- A refund above a limit is proposed by one person and decided by another.
ALTER TABLE payments.refunds DROP CONSTRAINT refunds_state_check,
    ADD COLUMN decided_by text,
    ADD COLUMN decided_at timestamptz,
    ADD CONSTRAINT refund_state_known CHECK (state IN ('proposed', 'rejected', 'requested', 'pending', 'succeeded', 'failed')),
    ADD CONSTRAINT refund_decided_by_another CHECK (decided_by IS NULL OR decided_by <> requested_by);
CREATE INDEX refunds_by_state ON payments.refunds (state, id);

-- Which lines of an order a refund is for; one without rows is for all of it.
CREATE TABLE sales.refund_lines (
    refund_id text NOT NULL REFERENCES payments.refunds,
    order_id  text NOT NULL,
    line      int NOT NULL,
    minor     bigint NOT NULL CHECK (minor > 0),
    PRIMARY KEY (refund_id, line),
    FOREIGN KEY (order_id, line) REFERENCES sales.lines
);
CREATE INDEX refund_lines_by_order ON sales.refund_lines (order_id, line);
ALTER TABLE sales.refund_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.refund_lines TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON sales.refund_lines FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
GRANT SELECT, INSERT ON sales.refund_lines TO cursus_app;
