-- +goose Up
-- What an erasure and the retention schedule take away. A book that is only added to lets a named column be wiped, and nothing else.
-- +goose StatementBegin
CREATE FUNCTION platform.only_wipes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE col text := TG_ARGV[0];
BEGIN
    IF to_jsonb(NEW) - col = to_jsonb(OLD) - col AND to_jsonb(NEW) ->> col IN ('', '\x') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is only added to; of its rows % alone can be wiped', TG_TABLE_NAME, col USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
DROP TRIGGER collections_append_only ON gradebook.collections;
CREATE TRIGGER collections_append_only BEFORE DELETE OR TRUNCATE ON gradebook.collections FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER collections_only_wipes BEFORE UPDATE ON gradebook.collections FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('content');
GRANT UPDATE (content) ON gradebook.collections TO cursus_app;

DROP TRIGGER productions_append_only ON workshops.productions;
CREATE TRIGGER productions_append_only BEFORE DELETE OR TRUNCATE ON workshops.productions FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER productions_only_wipes BEFORE UPDATE ON workshops.productions FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('note');
GRANT UPDATE (note) ON workshops.productions TO cursus_app;

-- A certificate stays verifiable by its code and the hash of its document, for who has the paper; her name and the paper are not kept.
DROP TRIGGER documents_append_only ON certificates.documents;
CREATE TRIGGER documents_append_only BEFORE DELETE OR TRUNCATE ON certificates.documents FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER documents_only_wipes BEFORE UPDATE ON certificates.documents FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('pdf');
ALTER TABLE certificates.documents DROP CONSTRAINT documents_check, ADD CONSTRAINT documents_check CHECK (pdf = ''::bytea OR sha256 = sha256(pdf));
GRANT UPDATE (pdf) ON certificates.documents TO cursus_app;
GRANT UPDATE (facts) ON certificates.certificates TO cursus_app;

GRANT UPDATE (raw) ON payments.events TO cursus_app;
GRANT UPDATE (email) ON payments.payments TO cursus_app;
GRANT UPDATE (reference) ON exams.sittings TO cursus_app;
GRANT UPDATE (email) ON sales.transfers TO cursus_app;
GRANT UPDATE (email, name) ON sales.seats TO cursus_app;
GRANT DELETE ON sales.guesses, identity.tokens, identity.roles, identity.members, identity.managers, identity.cashiers, identity.partner_roles, platform.idempotency, lms.usernames TO cursus_app;
GRANT UPDATE (email, given_name, family_name) ON cohorts.members TO cursus_app;
GRANT UPDATE (used_from) ON identity.keys TO cursus_app;

-- The subject of an erased person at a learning platform is kept as a salted hash: the next report that carries it finds that it is known
-- and makes nobody anew, and nobody reads from it who she was.
CREATE TABLE identity.salt (one boolean PRIMARY KEY DEFAULT true CHECK (one), salt bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()));
INSERT INTO identity.salt DEFAULT VALUES;
-- +goose StatementBegin
CREATE FUNCTION identity.erased_subject(source text, subject text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT 'erased:' || encode(sha256(s.salt || convert_to(source || chr(10) || subject, 'UTF8')), 'hex') FROM identity.salt s
$$;
-- +goose StatementEnd

-- The accounting archive of an erased person is kept for its legal term and is open to administrators and the house alone.
-- +goose StatementBegin
CREATE FUNCTION identity.archive_open(person text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT platform.actor() = 'system'
        OR NOT EXISTS (SELECT 1 FROM identity.people p WHERE p.id = person AND p.erased_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM identity.roles r WHERE 'staff:' || r.person_id = platform.actor() AND r.role = 'admin')
$$;
-- +goose StatementEnd
CREATE POLICY archive ON invoicing.documents AS RESTRICTIVE FOR SELECT TO cursus_app USING (identity.archive_open(buyer_id));
CREATE POLICY archive ON invoicing.billing AS RESTRICTIVE FOR SELECT TO cursus_app USING (identity.archive_open(person_id));
CREATE POLICY archive ON invoicing.files AS RESTRICTIVE FOR SELECT TO cursus_app
    USING (platform.actor() = 'system' OR EXISTS (SELECT 1 FROM invoicing.documents d WHERE d.id = document_id));
