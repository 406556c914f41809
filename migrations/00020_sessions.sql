-- +goose Up
-- A session says what it is (mooc, spoc, hybrid), for whom, in which language, with how many seats and how it grades.
ALTER TABLE catalog.sessions
    ADD COLUMN kind           text NOT NULL DEFAULT 'mooc' CHECK (kind IN ('mooc', 'spoc', 'hybrid')),
    ADD COLUMN platform_key   text NOT NULL DEFAULT '' CHECK (length(platform_key) <= 255), -- the course key on its platform, verbatim
    ADD COLUMN audience       text NOT NULL DEFAULT '' CHECK (length(audience) <= 60),      -- '': that of the course's level
    ADD COLUMN language       text NOT NULL DEFAULT '' CHECK (language ~ '^([a-z]{2,3}(-[A-Za-z0-9]{2,8})?)?$'),
    ADD COLUMN capacity       int CHECK (capacity BETWEEN 1 AND 1000000),                   -- null: as many as come
    ADD COLUMN policy         jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(policy) = 'array'),
    ADD COLUMN min_days       int NOT NULL DEFAULT 0 CHECK (min_days BETWEEN 0 AND 60),     -- workshop days to attend
    ADD COLUMN production_ppm int NOT NULL DEFAULT 0 CHECK (production_ppm BETWEEN 0 AND 1000000), -- grade that the production reaches; 0: none is asked for
    ADD COLUMN publication    text NOT NULL DEFAULT 'published' CHECK (publication IN ('draft', 'review', 'published', 'archived')),
    ADD COLUMN copied_from    text, -- the session that it was copied from
    ADD COLUMN graded_at      timestamptz, -- first grade report: from here on the threshold stays
    ADD CONSTRAINT workshops_are_hybrid CHECK (kind = 'hybrid' OR min_days = 0 AND production_ppm = 0);
ALTER TABLE catalog.exercises ADD COLUMN weight_ppm bigint NOT NULL DEFAULT 0 CHECK (weight_ppm BETWEEN 0 AND 1000000000);
CREATE INDEX sessions_by_time ON catalog.sessions (starts_at, id);

UPDATE catalog.sessions s SET graded_at = g.at FROM (SELECT session_id, min(collected_at) AS at FROM gradebook.collections GROUP BY session_id) g WHERE g.session_id = s.id;

-- The threshold of a session in which grades were imported is what learners were told, and what the journey was derived from.
-- +goose StatementBegin
CREATE FUNCTION catalog.keep_threshold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.graded_at IS NOT NULL AND NEW.threshold_ppm <> OLD.threshold_ppm THEN
        RAISE EXCEPTION 'grades were imported under the threshold of session %', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'threshold_is_kept';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER sessions_keep_threshold BEFORE UPDATE OF threshold_ppm ON catalog.sessions FOR EACH ROW EXECUTE FUNCTION catalog.keep_threshold();
