-- +goose Up
CREATE SCHEMA catalog;
GRANT USAGE ON SCHEMA catalog TO cursus_app;

CREATE TABLE catalog.collections (
    id         text PRIMARY KEY CHECK (id LIKE 'cln\_%'),
    key        text NOT NULL CONSTRAINT collection_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    title_en   text NOT NULL CHECK (length(title_en) <= 200),
    title_fr   text NOT NULL CHECK (length(title_fr) <= 200),
    summary_en text NOT NULL DEFAULT '' CHECK (length(summary_en) <= 2000),
    summary_fr text NOT NULL DEFAULT '' CHECK (length(summary_fr) <= 2000),
    CHECK (title_en <> '' OR title_fr <> '')
);
CREATE TABLE catalog.courses (
    id             text PRIMARY KEY CHECK (id LIKE 'crs\_%'),
    key            text NOT NULL CONSTRAINT course_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    collection_id  text REFERENCES catalog.collections,
    position       int NOT NULL DEFAULT 0, -- in its collection
    title_en       text NOT NULL CHECK (length(title_en) <= 200),
    title_fr       text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 200),
    summary_en     text NOT NULL DEFAULT '' CHECK (length(summary_en) <= 2000),
    summary_fr     text NOT NULL DEFAULT '' CHECK (length(summary_fr) <= 2000),
    level          text NOT NULL DEFAULT '' CHECK (level IN ('', 'pre_bachelor', 'bachelor', 'post_bachelor')),
    workload_hours int NOT NULL DEFAULT 0 CHECK (workload_hours BETWEEN 0 AND 2000), -- 0: not said
    created_at     timestamptz NOT NULL,
    CHECK (title_en <> '' OR title_fr <> '')
);
CREATE TABLE catalog.sessions (
    id            text PRIMARY KEY CHECK (id LIKE 'ses\_%'),
    key           text NOT NULL CONSTRAINT session_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    course_id     text NOT NULL REFERENCES catalog.courses,
    number        int NOT NULL DEFAULT 0 CHECK (number BETWEEN 0 AND 999), -- 0: not numbered
    title_en      text NOT NULL CHECK (length(title_en) <= 200),
    title_fr      text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 200),
    platform      text NOT NULL CHECK (length(platform) BETWEEN 1 AND 100), -- the instance whose learner ids its files carry
    course_url    text NOT NULL DEFAULT '' CHECK (length(course_url) <= 500),
    threshold_ppm int NOT NULL CHECK (threshold_ppm BETWEEN 0 AND 1000000),
    starts_at     timestamptz,
    ends_at       timestamptz,
    enrol_from    timestamptz,
    enrol_until   timestamptz,
    closed        boolean NOT NULL DEFAULT false,
    version       int NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    CHECK (title_en <> '' OR title_fr <> ''),
    CONSTRAINT session_dates_ordered CHECK (ends_at >= starts_at AND enrol_until >= enrol_from)
);
CREATE INDEX sessions_by_course ON catalog.sessions (course_id);
-- Which exercise is in which week: from the structure of the course, never from when people did it.
CREATE TABLE catalog.exercises (
    session_id text NOT NULL REFERENCES catalog.sessions,
    position   int NOT NULL,
    label      text NOT NULL CHECK (length(label) BETWEEN 1 AND 255),
    week       int NOT NULL CHECK (week BETWEEN 0 AND 53), -- 0: outside the weeks
    scored     boolean NOT NULL,
    activity   text NOT NULL CHECK (activity IN ('quiz', 'case_study', 'lab')), -- knowledge, practical application, know-how
    PRIMARY KEY (session_id, position),
    CONSTRAINT exercise_label_once UNIQUE (session_id, label)
);
GRANT SELECT, INSERT, UPDATE ON catalog.collections, catalog.courses, catalog.sessions TO cursus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.exercises TO cursus_app;
