-- +goose Up
CREATE SCHEMA ledger;
GRANT USAGE ON SCHEMA ledger TO cursus_app;

CREATE TABLE ledger.transactions (
    id          text PRIMARY KEY CHECK (id LIKE 'ltx\_%'),
    reference   text NOT NULL CONSTRAINT ledger_reference_once UNIQUE CHECK (length(reference) BETWEEN 1 AND 200),
    kind        text NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    digest      bytea NOT NULL,                 -- of the content, so that a repeated reference is known to be the same
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL
);

CREATE TABLE ledger.entries (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id text NOT NULL REFERENCES ledger.transactions,
    account        text NOT NULL CHECK (account ~ '^[a-z]+(:[a-z0-9_.-]+)*$'),
    minor          bigint NOT NULL CHECK (minor <> 0), -- debit positive, credit negative
    order_id       text,                               -- rooms above own these; the book only carries them
    enrolment_id   text
);
CREATE INDEX entries_by_transaction ON ledger.entries (transaction_id);
CREATE INDEX entries_by_order ON ledger.entries (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX entries_by_enrolment ON ledger.entries (enrolment_id) INCLUDE (account, minor) WHERE enrolment_id IS NOT NULL;

-- A transaction is whole in one statement: its entries sum to zero, there are two or more, and none joins later.
-- +goose StatementBegin
CREATE FUNCTION ledger.balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad text;
BEGIN
    SELECT e.transaction_id INTO bad
      FROM ledger.entries e
     WHERE e.transaction_id IN (SELECT n.transaction_id FROM fresh n)
     GROUP BY e.transaction_id
    HAVING sum(e.minor) <> 0 OR count(*) < 2
        OR count(*) <> (SELECT count(*) FROM fresh n WHERE n.transaction_id = e.transaction_id)
     LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'ledger transaction % is not balanced', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entries_balanced AFTER INSERT ON ledger.entries
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger.balanced();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entries
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON ledger.transactions, ledger.entries TO cursus_app;
