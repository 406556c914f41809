-- +goose Up
-- What a column of reports is, where its name alone does not say it: another name of an exercise, an exercise that is new, or nothing. Rows are
-- added only: the last one of a column holds, the others are its history.
CREATE TABLE gradebook.mappings (
    seq                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id          text NOT NULL REFERENCES catalog.sessions,
    label               text NOT NULL CHECK (length(label) BETWEEN 1 AND 255),
    occurrence          int NOT NULL CHECK (occurrence >= 0),
    meaning             text NOT NULL CHECK (meaning IN ('exercise', 'new', 'ignored', 'itself')),
    exercise            text CHECK (length(exercise) BETWEEN 1 AND 255),
    exercise_occurrence int NOT NULL DEFAULT 0 CHECK (exercise_occurrence >= 0),
    week                int CHECK (week BETWEEN 0 AND 53),
    decided_by          text NOT NULL CHECK (length(decided_by) <= 255),
    decided_at          timestamptz NOT NULL,
    CHECK ((meaning = 'exercise') = (exercise IS NOT NULL)),
    CHECK ((meaning = 'new') = (week IS NOT NULL))
);
CREATE INDEX mappings_by_session ON gradebook.mappings (session_id, seq);
CREATE TRIGGER mappings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gradebook.mappings FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON gradebook.mappings TO cursus_app;

-- In which direction scores went is part of what an intake did.
ALTER TABLE gradebook.collections ADD COLUMN scores_first int NOT NULL DEFAULT 0, ADD COLUMN scores_raised int NOT NULL DEFAULT 0,
    ADD COLUMN scores_lowered int NOT NULL DEFAULT 0, ADD COLUMN scores_dropped int NOT NULL DEFAULT 0;
