-- +goose Up
-- What nobody waits for is done when nothing else is due: papers after settlements.
ALTER TABLE jobs.queue ADD COLUMN rank smallint NOT NULL DEFAULT 0;
DROP INDEX jobs.queue_due;
CREATE INDEX queue_due ON jobs.queue (rank, due_at, id) WHERE worker IS NULL AND dead_at IS NULL;
