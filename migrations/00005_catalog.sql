-- +goose Up
CREATE SCHEMA catalog;
GRANT USAGE ON SCHEMA catalog TO cursus_app;

CREATE TABLE catalog.courses (
    id         text PRIMARY KEY CHECK (id LIKE 'crs\_%'),
    key        text NOT NULL CONSTRAINT course_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    title      text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL
);
CREATE TABLE catalog.sessions (
    id            text PRIMARY KEY CHECK (id LIKE 'ses\_%'),
    key           text NOT NULL CONSTRAINT session_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    course_id     text NOT NULL REFERENCES catalog.courses,
    title         text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    platform      text NOT NULL CHECK (length(platform) BETWEEN 1 AND 100), -- the instance whose learner ids its files carry
    threshold_ppm int NOT NULL CHECK (threshold_ppm BETWEEN 0 AND 1000000),
    closed        boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL
);
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
GRANT SELECT, INSERT, UPDATE ON catalog.courses, catalog.sessions TO cursus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.exercises TO cursus_app;
