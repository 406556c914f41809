-- +goose Up
-- Which price of its offer a line was quoted at; null: the offer's own.
ALTER TABLE sales.lines ADD COLUMN price_id text REFERENCES offers.prices;
CREATE INDEX lines_by_price ON sales.lines (price_id) WHERE price_id IS NOT NULL;
