-- +goose Up
-- Every file that was taken in, of whatever kind, says by which way it came, by whom and how long it was, and its bytes are kept as they came until
-- somebody in it is erased or the schedule takes them.
ALTER TABLE gradebook.collections DISABLE TRIGGER collections_only_wipes;
ALTER TABLE gradebook.collections
    ADD COLUMN via text NOT NULL DEFAULT '' CHECK (via IN ('', 'page', 'api', 'command', 'pull')), -- empty: it came before this was kept
    ADD COLUMN bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0), -- 0: likewise
    ADD COLUMN outcomes bytea NOT NULL DEFAULT ''; -- gzip of what became of each row that changed something, by enrolment
UPDATE gradebook.collections SET via = 'pull' WHERE kind = 'pull';
ALTER TABLE gradebook.collections ENABLE TRIGGER collections_only_wipes;

ALTER TABLE surveys.imports
    ADD COLUMN file_sha256 bytea CHECK (length(file_sha256) = 32), -- of the bytes alone; sha256 is of these and of how their columns were read
    ADD COLUMN bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    ADD COLUMN via text NOT NULL DEFAULT '' CHECK (via IN ('', 'page', 'api', 'command', 'pull')),
    ADD COLUMN imported_by text NOT NULL DEFAULT '' CHECK (length(imported_by) <= 255);
CREATE TRIGGER imports_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys.imports FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER outcomes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys.outcomes FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE INDEX imports_by_session ON surveys.imports (session_id, recorded_at);
-- The bytes of such a file, gzip in pieces: the export of a forum can be longer than a value should be. They go whole, and are never written anew.
CREATE TABLE surveys.pieces (
    import_id text NOT NULL REFERENCES surveys.imports,
    n         int NOT NULL CHECK (n >= 0),
    content   bytea NOT NULL,
    PRIMARY KEY (import_id, n)
);
CREATE TRIGGER pieces_never_change BEFORE UPDATE OR TRUNCATE ON surveys.pieces FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE surveys.pieces ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON surveys.pieces TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY everything ON surveys.pieces TO cursus_house USING (true);
GRANT SELECT, INSERT, DELETE ON surveys.pieces TO cursus_app;

-- A file of results that is tried again, because rows of it were refused, is another taking of the same bytes: what became of the rows before stays.
ALTER TABLE exams.result_files DROP CONSTRAINT result_file_once,
    ADD COLUMN collected_at timestamptz,
    ADD COLUMN bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    ADD COLUMN via text NOT NULL DEFAULT '' CHECK (via IN ('', 'page', 'api', 'command', 'pull')),
    ADD COLUMN content bytea NOT NULL DEFAULT ''; -- gzip; empty of what was tried again, and of what was wiped
UPDATE exams.result_files SET collected_at = imported_at;
ALTER TABLE exams.result_files ALTER COLUMN collected_at SET NOT NULL;
CREATE INDEX result_files_by_session ON exams.result_files (session_id, kind, sha256, imported_at);
CREATE TRIGGER result_files_append_only BEFORE DELETE OR TRUNCATE ON exams.result_files FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER result_files_only_wipes BEFORE UPDATE ON exams.result_files FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('content');
REVOKE UPDATE ON exams.result_files FROM cursus_app;
REVOKE UPDATE (file_name, outcomes, refused, imported_by, imported_at) ON exams.result_files FROM cursus_app;
GRANT UPDATE (content) ON exams.result_files TO cursus_app;
