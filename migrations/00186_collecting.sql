-- +goose Up
-- How often what a platform says of a session is collected. The next time is data: it is seen, and moved by hand.
CREATE TABLE gradebook.schedules (
    session_id    text PRIMARY KEY REFERENCES catalog.sessions,
    every_days    int NOT NULL CHECK (every_days BETWEEN 1 AND 31),
    enabled       boolean NOT NULL,
    next_at       timestamptz NOT NULL,
    cohorts       jsonb NOT NULL DEFAULT '[]', -- of the platform: id and name
    version       int NOT NULL DEFAULT 1,
    begun_at      timestamptz, -- of what is collected now
    attempts      int NOT NULL DEFAULT 0, -- in vain, in a row, of what is collected now
    retry_at      timestamptz, -- when it goes on; none: it does
    last_at       timestamptz, -- of what was collected last
    collection_id text REFERENCES gradebook.collections, -- that it became
    failure       text CHECK (length(failure) BETWEEN 1 AND 100) -- why it waits, or why the last one gave nothing
);
CREATE INDEX schedules_due ON gradebook.schedules (next_at) WHERE enabled;
CREATE INDEX schedules_waiting ON gradebook.schedules (retry_at) WHERE retry_at IS NOT NULL;
-- What was answered so far, until all of it is there, and what is read after each page. It names people, for hours at most.
CREATE TABLE gradebook.pages (
    session_id text NOT NULL REFERENCES gradebook.schedules,
    begun_at   timestamptz NOT NULL,
    position   int NOT NULL,
    line       bytea NOT NULL,
    learners   int NOT NULL,
    next       jsonb NOT NULL,
    PRIMARY KEY (session_id, begun_at, position)
);
GRANT SELECT, INSERT, UPDATE ON gradebook.schedules TO cursus_app;
GRANT SELECT, INSERT, DELETE ON gradebook.pages TO cursus_app;
