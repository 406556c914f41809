-- +goose Up
-- Who did what, in a chain: each row carries the hash of the one before it, so that nothing can be taken out or changed
-- unseen. The database makes the hashes; the application's role can neither choose nor rewrite them.
CREATE TABLE platform.audit (
    seq    bigint PRIMARY KEY,
    at     timestamptz NOT NULL,
    actor  text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    action text NOT NULL CHECK (action ~ '^[a-z]+(\.[a-z_]+)+$'),
    object text NOT NULL CHECK (length(object) BETWEEN 1 AND 200),
    detail jsonb NOT NULL,
    hash   bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE TABLE platform.audit_head (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq  bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO platform.audit_head (seq, hash) VALUES (0, sha256('cursus'));

-- +goose StatementBegin
CREATE FUNCTION platform.audit_hash(earlier bytea, a platform.audit) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(earlier || convert_to(jsonb_build_array(a.seq, extract(epoch FROM a.at)::numeric, a.actor, a.action, a.object, a.detail)::text, 'UTF8'))
$$;
CREATE FUNCTION platform.audit_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE head platform.audit_head;
BEGIN
    SELECT * INTO head FROM platform.audit_head FOR UPDATE; -- one writer at a time, until it commits
    NEW.seq := head.seq + 1;
    NEW.hash := platform.audit_hash(head.hash, NEW);
    UPDATE platform.audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_chain BEFORE INSERT ON platform.audit FOR EACH ROW EXECUTE FUNCTION platform.audit_link();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON platform.audit
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON platform.audit TO cursus_app;
GRANT SELECT ON platform.audit_head TO cursus_app;
