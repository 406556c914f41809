-- +goose Up
-- Whoever keeps answers for the public hears of every commit that may have changed one. One message per transaction is sent,
-- however many rows it touched. Only what the public reads is here: not working copies, histories and what belongs to learners.
-- +goose StatementBegin
CREATE FUNCTION platform.tell_public() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('public_changes', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE found text;
BEGIN
    FOR found IN
        SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname IN ('catalog', 'programs', 'offers') OR (schemaname, tablename) = ('workshops', 'days')
    LOOP
        IF found NOT IN ('catalog.course_versions', 'catalog.moves', 'catalog.charters', 'catalog.conformance') THEN
            EXECUTE format('CREATE TRIGGER tells_public AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION platform.tell_public()', found);
        END IF;
    END LOOP;
END $$;
-- +goose StatementEnd
