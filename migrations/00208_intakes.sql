-- +goose Up
-- Files of a session that came together: tried in the order of their collection, and then taken in, each whole or not at all.
CREATE SCHEMA intakes;
GRANT USAGE ON SCHEMA intakes TO cursus_app;
CREATE TABLE intakes.batches (
    id         text PRIMARY KEY CHECK (id LIKE 'itb\_%'),
    session_id text NOT NULL REFERENCES catalog.sessions,
    state      text NOT NULL CHECK (state IN ('coming', 'trying', 'tried', 'applying', 'applied')),
    version    int NOT NULL DEFAULT 1 CHECK (version > 0), -- what a page decided about is this one
    mappings   jsonb NOT NULL DEFAULT '[]', -- what was said of columns, for the time when it is applied
    exams      boolean NOT NULL, -- who asked may take results of exams in
    asked_by   text NOT NULL CHECK (length(asked_by) <= 255),
    made_at    timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX batches_by_age ON intakes.batches (changed_at);
CREATE INDEX batches_by_session ON intakes.batches (session_id, made_at);
CREATE TABLE intakes.files (
    id           text PRIMARY KEY CHECK (id LIKE 'itf\_%'),
    batch_id     text NOT NULL REFERENCES intakes.batches ON DELETE CASCADE,
    place        int NOT NULL CHECK (place >= 0), -- in which they came
    file_name    text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 255),
    bytes        bigint CHECK (bytes >= 0), -- null: it has not come whole
    sha256       bytea CHECK (length(sha256) = 32),
    kind         text NOT NULL DEFAULT '' CHECK (length(kind) <= 20), -- as it was said; empty: as it seems
    collected_at timestamptz, -- as it was said; null: as its name says
    skipped      boolean NOT NULL DEFAULT false, -- left out by who looked at it
    state        text NOT NULL CHECK (state IN ('coming', 'waiting', 'tried', 'refused', 'taken')),
    percent      int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    taken        jsonb, -- what it does, or did
    problem      jsonb, -- why it was refused
    UNIQUE (batch_id, place)
);
CREATE TABLE intakes.pieces (
    file_id text NOT NULL REFERENCES intakes.files ON DELETE CASCADE,
    n       int NOT NULL CHECK (n >= 0),
    content bytea NOT NULL,
    PRIMARY KEY (file_id, n)
);
-- What each room took in, as one list.
CREATE VIEW intakes.history WITH (security_invoker = true) AS
    SELECT id, session_id, kind, file_name, collected_at, recorded_at, origin AS taken_by, via, encode(sha256, 'hex') AS sha256, bytes, content <> '' AS kept, rows_read AS rows,
           learners_new AS added, learners_left AS gone, learners_back AS back, cells_changed AS changed, 0 AS unchanged, rows_rejected AS rejected, lines_ignored AS ignored
      FROM gradebook.collections
    UNION ALL
    SELECT i.id, i.session_id, coalesce(x.moment, 'forum'), i.file_name, i.collected_at, i.recorded_at, i.imported_by, i.via, coalesce(encode(i.file_sha256, 'hex'), ''), i.bytes,
           EXISTS (SELECT 1 FROM surveys.pieces p WHERE p.import_id = i.id AND p.n = 0), i.rows_new + i.rows_changed + i.rows_unchanged + i.rows_rejected,
           i.rows_new, 0, 0, i.rows_changed, i.rows_unchanged, i.rows_rejected, 0
      FROM surveys.imports i LEFT JOIN surveys.questionnaires x ON x.id = i.questionnaire_id
    UNION ALL
    SELECT f.id, f.session_id, 'results', f.file_name, f.collected_at, f.imported_at, f.imported_by, f.via, encode(f.sha256, 'hex'), f.bytes,
           EXISTS (SELECT 1 FROM exams.result_files k WHERE k.session_id = f.session_id AND k.kind = f.kind AND k.sha256 = f.sha256 AND k.content <> ''), o.rows,
           o.added, 0, 0, o.changed, o.unchanged, o.rejected, 0
      FROM exams.result_files f CROSS JOIN LATERAL (
        SELECT count(*)::int AS rows, (count(*) FILTER (WHERE r ->> 'outcome' = 'new'))::int AS added, (count(*) FILTER (WHERE r ->> 'outcome' = 'changed'))::int AS changed,
               (count(*) FILTER (WHERE r ->> 'outcome' = 'unchanged'))::int AS unchanged, (count(*) FILTER (WHERE r ->> 'outcome' = 'refused'))::int AS rejected
          FROM jsonb_array_elements(f.outcomes) AS r) o;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['batches', 'files', 'pieces'] LOOP
        EXECUTE format('ALTER TABLE intakes.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON intakes.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY everything ON intakes.%I TO cursus_house USING (true)', t);
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA intakes TO cursus_app;
GRANT SELECT ON intakes.history TO cursus_app;
GRANT UPDATE (state, version, mappings, exams, asked_by, changed_at) ON intakes.batches TO cursus_app;
GRANT UPDATE (bytes, sha256, kind, collected_at, skipped, state, percent, taken, problem) ON intakes.files TO cursus_app;
