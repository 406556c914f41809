-- +goose Up
-- Work that waits, runs, or was given up. Who commits a job's cause commits its row; who has done it takes the row away.
CREATE TABLE jobs.queue (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (length(kind) BETWEEN 1 AND 100),
    args       jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    due_at     timestamptz NOT NULL,
    attempts   int NOT NULL DEFAULT 0,
    worker     text,                       -- who works on it now
    failure    text NOT NULL DEFAULT '',   -- what the last attempt that failed said
    dead_at    timestamptz,                -- given up: a person is needed
    CHECK (worker IS NULL OR dead_at IS NULL)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX queue_due ON jobs.queue (due_at, id) WHERE worker IS NULL AND dead_at IS NULL;
CREATE INDEX queue_running ON jobs.queue (worker) WHERE worker IS NOT NULL;
CREATE INDEX queue_dead ON jobs.queue (dead_at) WHERE dead_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.queue TO cursus_app;

-- The queue was River's before. What it had not finished goes on here; what it was working on is worked on again.
-- +goose StatementBegin
DO $$
DECLARE made text;
BEGIN
    IF to_regclass('jobs.river_job') IS NULL THEN
        RETURN;
    END IF;
    INSERT INTO jobs.queue (kind, args, created_at, due_at, attempts, failure, dead_at)
    SELECT kind, args, created_at, CASE WHEN state = 'running' THEN now() ELSE scheduled_at END, attempt,
           coalesce(errors[array_upper(errors, 1)] ->> 'error', ''), CASE WHEN state = 'discarded' THEN coalesce(finalized_at, now()) END
      FROM jobs.river_job
     WHERE state NOT IN ('completed', 'cancelled')
     ORDER BY id;
    FOR made IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'jobs' AND tablename LIKE 'river\_%' LOOP
        EXECUTE 'DROP TABLE jobs.' || made || ' CASCADE';
    END LOOP;
    FOR made IN SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = 'jobs'::regnamespace AND p.proname LIKE 'river\_%' LOOP
        EXECUTE 'DROP FUNCTION ' || made || ' CASCADE';
    END LOOP;
    DROP TYPE IF EXISTS jobs.river_job_state;
END $$;
-- +goose StatementEnd
