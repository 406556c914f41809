-- +goose Up
-- What an order takes from others, said once: places, quotas, prices of the first buyers and uses of vouchers are taken by what was
-- sold and stands, and by what waits for its payment until held_until: for ever where the bank has it in hand.
CREATE VIEW sales.standing WITH (security_invoker = true) AS
SELECT o.id, o.buyer_id, o.organisation, o.state IN ('paid', 'partially_refunded', 'disputed') AS sold,
       CASE WHEN o.state = 'awaiting_payment'
            THEN CASE WHEN EXISTS (SELECT 1 FROM payments.payments y WHERE y.id = o.payment_id AND y.state = 'pending') THEN 'infinity' ELSE o.expires_at END
       END AS held_until
  FROM sales.orders o;
GRANT SELECT ON sales.standing TO cursus_app;
