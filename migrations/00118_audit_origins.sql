-- +goose Up
-- From where an act was asked for. An address is personal data and the chain is for ever: what is chained is the hash of the address
-- and a salt, and both stand beside it until the retention schedule wipes them. The chain holds before and after; while the address
-- stands it is proven by its seal, and a wiped one cannot be guessed back without the salt.
ALTER TABLE platform.audit ADD COLUMN seal bytea CHECK (length(seal) = 32);
ALTER TABLE platform.audit_said ADD COLUMN origin text NOT NULL DEFAULT '' CHECK (length(origin) <= 100);
CREATE TABLE platform.audit_origins (
    seq    bigint PRIMARY KEY, -- of platform.audit
    origin text NOT NULL CHECK (length(origin) BETWEEN 1 AND 100),
    salt   bytea NOT NULL
);
-- Read by who acted, to what, and when. No index more than these: writers of the chain wait for each other while they are kept.
CREATE INDEX audit_by_actor ON platform.audit (actor, seq);
CREATE INDEX audit_by_object ON platform.audit (object, seq);
CREATE INDEX audit_by_time ON platform.audit USING brin (at);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION platform.audit_hash(earlier bytea, a platform.audit) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(earlier || coalesce(a.seal, ''::bytea) || convert_to(jsonb_build_array(a.seq, extract(epoch FROM a.at)::numeric, a.actor, a.action, a.object, a.detail)::text, 'UTF8'))
$$;
CREATE OR REPLACE FUNCTION platform.audit_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE salt bytea; place bigint;
BEGIN
    IF NEW.origin <> '' THEN
        salt := uuid_send(gen_random_uuid());
    END IF;
    INSERT INTO platform.audit (at, actor, action, object, detail, seal)
    VALUES (NEW.at, NEW.actor, NEW.action, NEW.object, NEW.detail, sha256(salt || convert_to(NEW.origin, 'UTF8'))) RETURNING seq INTO place;
    IF salt IS NOT NULL THEN
        INSERT INTO platform.audit_origins (seq, origin, salt) VALUES (place, NEW.origin, salt);
    END IF;
    DELETE FROM platform.audit_said WHERE id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
GRANT SELECT, DELETE ON platform.audit_origins TO cursus_app;

-- Staff alone read what others did.
ALTER TABLE platform.audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.audit_origins ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON platform.audit FOR SELECT TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON platform.audit_origins TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
