-- +goose Up
-- When an order ended without being paid: its time was over, its buyer changed her mind, or what came was not what was asked for.
ALTER TABLE sales.orders ADD COLUMN closed_at timestamptz;
UPDATE sales.orders SET closed_at = coalesce(expires_at, placed_at) WHERE state IN ('expired', 'canceled', 'payment_mismatch');
GRANT UPDATE (closed_at) ON sales.orders TO cursus_app;
