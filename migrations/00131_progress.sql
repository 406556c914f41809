-- +goose Up
-- The weekly digest of those whom a partner follows: who wants it by mail, and each mail that was made of it.
CREATE SCHEMA progress;
GRANT USAGE ON SCHEMA progress TO cursus_app;

-- Her last word. A group is a cohort, or the order whose seats people sit on.
CREATE TABLE progress.readers (
    group_id   text NOT NULL CHECK (group_id ~ '^(coh|ord)_'),
    person_id  text NOT NULL REFERENCES identity.people,
    wanted     boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (group_id, person_id)
);
CREATE INDEX readers_by_person ON progress.readers (person_id);

-- One mail of one week to one reader. The row is 'sending' before the mail server is asked: what a process that died left so is never sent again.
CREATE TABLE progress.digests (
    id        text PRIMARY KEY CHECK (id LIKE 'dig\_%'),
    group_id  text NOT NULL,
    person_id text NOT NULL,
    week      date NOT NULL CHECK (extract(isodow FROM week) = 1), -- its Monday
    state     text NOT NULL CONSTRAINT digest_state_known CHECK (state IN ('waiting', 'sending', 'sent', 'uncertain', 'failed', 'skipped')),
    tries     int NOT NULL DEFAULT 0 CHECK (tries >= 0),
    made_at   timestamptz NOT NULL,
    tried_at  timestamptz,
    ended_at  timestamptz,
    CONSTRAINT digest_once UNIQUE (group_id, person_id, week),
    CONSTRAINT ended_or_open CHECK ((state IN ('waiting', 'sending')) = (ended_at IS NULL)),
    CONSTRAINT sent_was_tried CHECK (state NOT IN ('sending', 'sent', 'uncertain', 'failed') OR tried_at IS NOT NULL),
    FOREIGN KEY (group_id, person_id) REFERENCES progress.readers
);
CREATE INDEX digests_by_person ON progress.digests (person_id);

ALTER TABLE progress.readers ENABLE ROW LEVEL SECURITY;
ALTER TABLE progress.digests ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON progress.readers TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON progress.readers FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
CREATE POLICY house ON progress.digests TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON progress.digests FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT ON progress.readers, progress.digests TO cursus_app;
GRANT UPDATE (wanted, changed_at) ON progress.readers TO cursus_app;
GRANT UPDATE (state, tries, tried_at, ended_at) ON progress.digests TO cursus_app;
