-- +goose Up
-- A badge names its holder: an erasure wipes it. Its place in the list stays taken, so that nobody else's badge is looked up there.
DROP TRIGGER credentials_append_only ON badges.credentials;
CREATE TRIGGER credentials_append_only BEFORE DELETE OR TRUNCATE ON badges.credentials FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER credentials_only_wipes BEFORE UPDATE ON badges.credentials FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('jws');
GRANT UPDATE (jws) ON badges.credentials TO cursus_app;
