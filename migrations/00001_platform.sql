-- +goose Up
-- The application role owns no table: what it may not do is refused by grants, not by good manners.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cursus_app') THEN
        CREATE ROLE cursus_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles belong to the whole server: another database's migration was faster
END $$;
-- +goose StatementEnd
CREATE SCHEMA platform;
GRANT USAGE ON SCHEMA platform TO cursus_app;

-- Who acts, as told by the transaction: 'system', 'staff:<id>', 'learner:<person>'. Unset means nobody.
-- +goose StatementBegin
CREATE FUNCTION platform.actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(nullif(current_setting('cursus.actor', true), ''), 'public') $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION platform.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$;
-- +goose StatementEnd
