-- +goose Up
-- A provider can be switched off; a secret that was replaced holds for a while, so that the other side can change over.
ALTER TABLE labs.providers
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN sealed_before bytea,
    ADD COLUMN before_until timestamptz,
    ADD CHECK ((sealed_before IS NULL) = (before_until IS NULL));
GRANT UPDATE (enabled, sealed_before, before_until) ON labs.providers TO cursus_app;
CREATE INDEX labs_by_provider ON labs.labs (provider);

-- Whether a provider is switched on: a learner reads nothing else of it.
-- +goose StatementBegin
CREATE FUNCTION labs.served(provider text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT p.enabled FROM labs.providers p WHERE p.key = provider
$$;
-- +goose StatementEnd
