-- +goose Up
-- The hash of an address has no salt: whoever knows the address finds it. It goes with the person.
GRANT DELETE ON outreach.dead_addresses TO cursus_app;
