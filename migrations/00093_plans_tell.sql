-- +goose Up
-- Whether an offer can be paid in instalments stands beside its price, where the public reads it.
CREATE TRIGGER tells_public AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON offers.plans FOR EACH STATEMENT EXECUTE FUNCTION platform.tell_public();
