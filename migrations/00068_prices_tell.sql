-- +goose Up
-- Prices beside an offer's own are for the public to read, so their changes are told like those of 00036. Vouchers and codes are not.
CREATE OR REPLACE TRIGGER tells_public AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON offers.prices
    FOR EACH STATEMENT EXECUTE FUNCTION platform.tell_public();
