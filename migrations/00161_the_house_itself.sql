-- +goose Up
-- What the house itself does sees every row. Said under a role of its own that is a constant, and the planner leaves it out; said by the
-- actor it is a question to every row of every table, beside the ones that stand for a learner with what they look up, and the plans
-- of a settlement became ten times as long as what they do. The role has whatever the application's has, so a table without a policy
-- for it is open to it as before. It owns no table either, and only a transaction whose actor is 'system' runs under it.
-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cursus_house') THEN
        CREATE ROLE cursus_house NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles belong to the whole server: another database's migration was faster
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('cursus_house', 0));
    IF NOT pg_has_role('cursus_house', 'cursus_app', 'USAGE') THEN
        GRANT cursus_app TO cursus_house;
    END IF;
    IF NOT pg_has_role('cursus_house', 'MEMBER') THEN -- an owner who is no superuser works under the roles that she made
        GRANT cursus_house TO CURRENT_USER;
    END IF;
EXCEPTION WHEN unique_violation THEN
    NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE p record;
BEGIN
    FOR p IN SELECT schemaname, tablename, cmd FROM pg_policies WHERE policyname = 'house' AND qual LIKE '%actor() = ''system''%' LOOP
        EXECUTE format('CREATE POLICY everything ON %I.%I FOR %s TO cursus_house USING (true)', p.schemaname, p.tablename, p.cmd);
    END LOOP;
END $$;
-- +goose StatementEnd

-- The archive of an erased person is asked about of everybody but the house, which is asked first: the function has to look things up.
DROP POLICY archive ON invoicing.documents;
CREATE POLICY archive ON invoicing.documents AS RESTRICTIVE FOR SELECT TO cursus_app USING (platform.actor() = 'system' OR identity.archive_open(buyer_id));
DROP POLICY archive ON invoicing.billing;
CREATE POLICY archive ON invoicing.billing AS RESTRICTIVE FOR SELECT TO cursus_app USING (platform.actor() = 'system' OR identity.archive_open(person_id));

-- One statement takes the head and moves it: who waited for it goes on from what the one before left. In PL/pgSQL the formula is
-- planned once for a connection.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION platform.audit_hash(earlier bytea, a platform.audit) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(earlier || coalesce(a.seal, ''::bytea) || convert_to(jsonb_build_array(a.seq, extract(epoch FROM a.at)::numeric, a.actor, a.action, a.object, a.detail)::text, 'UTF8'));
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION platform.audit_link() RETURNS trigger LANGUAGE plpgsql AS $$ -- audit_write inserts, as the owner; nobody else may
BEGIN
    UPDATE platform.audit_head h -- one writer at a time, until it commits
       SET seq = h.seq + 1,
           hash = platform.audit_hash(h.hash, ROW(h.seq + 1, NEW.at, NEW.actor, NEW.action, NEW.object, NEW.detail, NULL, NEW.seal)::platform.audit)
    RETURNING h.seq, h.hash INTO NEW.seq, NEW.hash;
    RETURN NEW;
END $$;
-- +goose StatementEnd
