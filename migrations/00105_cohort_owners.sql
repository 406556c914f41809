-- +goose Up
-- An order under which a learner of a cohort is enrolled is her school's too, however it is paid.
CREATE OR REPLACE VIEW webhooks.owners WITH (security_invoker = true) AS
    SELECT o.id AS order_id, o.organisation FROM sales.orders o WHERE o.organisation IS NOT NULL
    UNION
    SELECT r.order_id, r.organisation FROM payments.receipts r WHERE r.order_id IS NOT NULL AND r.organisation IS NOT NULL
    UNION
    SELECT l.order_id, min(f.audience) FROM sales.lines l JOIN offers.offers f ON f.id = l.offer_id
     GROUP BY l.order_id HAVING count(*) = count(f.audience) AND min(f.audience) = max(f.audience)
    UNION
    SELECT m.order_id, m.organisation FROM cohorts.members m WHERE m.order_id IS NOT NULL;
