-- +goose Up
-- The chain of the audit is joined when a transaction commits, not when it says what it did: its end was locked until then,
-- over every round trip in between, and all writers waited for each other's networks.
CREATE TABLE platform.audit_said (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL,
    actor  text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    action text NOT NULL CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$'),
    object text NOT NULL CHECK (length(object) BETWEEN 1 AND 200),
    detail jsonb NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- +goose StatementBegin
CREATE FUNCTION platform.audit_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO platform.audit (at, actor, action, object, detail) VALUES (NEW.at, NEW.actor, NEW.action, NEW.object, NEW.detail);
    DELETE FROM platform.audit_said WHERE id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER audit_write AFTER INSERT ON platform.audit_said
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION platform.audit_write();
REVOKE INSERT ON platform.audit FROM cursus_app; -- the database alone writes there now
GRANT INSERT ON platform.audit_said TO cursus_app;

-- Each transaction's entries are found by their index, whatever the planner believes about a book that grows: one plan that
-- was made while the book was small read all of it at every posting.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ledger.balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad text;
BEGIN
    SELECT n.transaction_id INTO bad
      FROM (SELECT f.transaction_id, count(*) AS entries FROM fresh f GROUP BY f.transaction_id) n
     CROSS JOIN LATERAL (SELECT sum(e.minor) AS minor, count(*) AS entries FROM ledger.entries e WHERE e.transaction_id = n.transaction_id) book
     WHERE book.minor <> 0 OR book.entries < 2 OR book.entries <> n.entries
     LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % is not balanced', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
