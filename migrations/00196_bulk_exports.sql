-- +goose Up
-- Files with all that the views of the schema export show, made in the background. They are kept in pieces, so that neither to write nor to
-- fetch one takes more memory than a piece, and for a few days.
GRANT USAGE ON SCHEMA export TO cursus_app;
CREATE TABLE export.bulk (
    id         text PRIMARY KEY CHECK (id LIKE 'bex\_%'),
    format     text NOT NULL CHECK (format IN ('csv', 'parquet')),
    asked_by   text NOT NULL CHECK (length(asked_by) BETWEEN 1 AND 200),
    asked_at   timestamptz NOT NULL,
    state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'expired')),
    attempt    int NOT NULL DEFAULT 0 CHECK (attempt >= 0), -- whose pieces these are: one that was thought dead writes no more
    done       int NOT NULL DEFAULT 0 CHECK (done >= 0),    -- views
    total      int NOT NULL CHECK (total > 0),
    rows       bigint NOT NULL DEFAULT 0 CHECK (rows >= 0),
    bytes      bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    sha256     bytea CHECK (length(sha256) = 32),
    as_of      timestamptz, -- the moment that the whole file shows
    ready_at   timestamptz,
    expires_at timestamptz,
    CONSTRAINT ready_has_its_sum CHECK ((state = 'pending') = (sha256 IS NULL) AND (ready_at IS NULL) = (sha256 IS NULL) AND (expires_at IS NULL) = (sha256 IS NULL) AND (as_of IS NULL) = (sha256 IS NULL))
);
CREATE UNIQUE INDEX one_bulk_export_at_a_time ON export.bulk (format) WHERE state = 'pending';
CREATE TABLE export.pieces (
    bulk_id text NOT NULL REFERENCES export.bulk,
    attempt int NOT NULL,
    n       int NOT NULL CHECK (n >= 0),
    content bytea NOT NULL CHECK (length(content) > 0),
    PRIMARY KEY (bulk_id, attempt, n)
);
GRANT SELECT, INSERT, UPDATE ON export.bulk TO cursus_app;
GRANT SELECT, INSERT, DELETE ON export.pieces TO cursus_app;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['bulk', 'pieces'] LOOP
        EXECUTE format('ALTER TABLE export.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY everything ON export.%I TO cursus_house USING (true)', t);
        EXECUTE format('CREATE POLICY house ON export.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
    END LOOP;
END $$;
-- +goose StatementEnd
