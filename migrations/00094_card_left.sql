-- +goose Up
-- When the card was left that is kept for an order: events come in any order, and the one that was left last is charged.
ALTER TABLE sales.plans ADD COLUMN card_left_at timestamptz;
GRANT UPDATE (card_left_at) ON sales.plans TO cursus_app;
