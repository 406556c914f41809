-- +goose Up
CREATE SCHEMA programs;
GRANT USAGE ON SCHEMA programs TO cursus_app;

-- A program has a working copy, which staff edit, and numbered versions, which nobody does.
CREATE TABLE programs.programs (
    id         text PRIMARY KEY CHECK (id LIKE 'prg\_%'),
    key        text NOT NULL CONSTRAINT program_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    draft      jsonb NOT NULL,           -- what the next version will say
    version    int NOT NULL DEFAULT 1,   -- of the working copy: counts its edits
    state      text NOT NULL CONSTRAINT program_state_known CHECK (state IN ('draft', 'review', 'published', 'archived')),
    current    int,                      -- the version that was published last; null: none was
    visible    boolean NOT NULL DEFAULT false, -- the public sees it
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE programs.versions (
    program_id   text NOT NULL REFERENCES programs.programs,
    number       int NOT NULL CHECK (number > 0),
    content      jsonb NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    PRIMARY KEY (program_id, number)
);
-- The courses of a version in its order, as rows, so that no course of a version can go.
CREATE TABLE programs.version_courses (
    program_id text NOT NULL,
    number     int NOT NULL,
    course_id  text NOT NULL REFERENCES catalog.courses,
    position   int NOT NULL,
    optional   boolean NOT NULL,
    PRIMARY KEY (program_id, number, course_id),
    FOREIGN KEY (program_id, number) REFERENCES programs.versions
);
ALTER TABLE programs.programs ADD CONSTRAINT program_shows_a_version FOREIGN KEY (id, current) REFERENCES programs.versions (program_id, number);
CREATE TRIGGER versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON programs.versions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER version_courses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON programs.version_courses
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- A version in a period, with its sessions. What it promises is fixed when it is published.
CREATE TABLE programs.editions (
    id             text PRIMARY KEY CHECK (id LIKE 'edn\_%'),
    key            text NOT NULL CONSTRAINT edition_key_once UNIQUE CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    program_id     text NOT NULL,
    version_number int NOT NULL,
    title_en       text NOT NULL DEFAULT '' CHECK (length(title_en) <= 200),
    title_fr       text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 200),
    lang           text NOT NULL CHECK (lang ~ '^[a-z]{2,3}$'),
    partner        text NOT NULL DEFAULT '' CHECK (length(partner) <= 200),
    capacity       int CONSTRAINT edition_capacity CHECK (capacity BETWEEN 1 AND 1000000),
    starts_at      timestamptz,
    ends_at        timestamptz,
    enrol_from     timestamptz,
    enrol_until    timestamptz,
    state          text NOT NULL CONSTRAINT edition_state_known CHECK (state IN ('draft', 'review', 'published', 'archived')),
    version        int NOT NULL DEFAULT 1,
    published_at   timestamptz,
    changed_at     timestamptz NOT NULL,
    changed_by     text NOT NULL,
    created_at     timestamptz NOT NULL,
    CONSTRAINT edition_version_known FOREIGN KEY (program_id, version_number) REFERENCES programs.versions,
    CHECK (title_en <> '' OR title_fr <> ''),
    CHECK (state <> 'published' OR published_at IS NOT NULL),
    CONSTRAINT edition_dates_ordered CHECK (ends_at >= starts_at AND enrol_until >= enrol_from)
);
CREATE INDEX editions_by_program ON programs.editions (program_id);
CREATE TABLE programs.edition_sessions (
    edition_id text NOT NULL REFERENCES programs.editions,
    course_id  text NOT NULL REFERENCES catalog.courses,
    session_id text NOT NULL REFERENCES catalog.sessions,
    opening    text NOT NULL CHECK (opening IN ('at_once', 'on_date', 'monthly', 'after_previous', 'after_prerequisites')),
    opens_at   timestamptz,
    PRIMARY KEY (edition_id, course_id),
    CONSTRAINT edition_session_once UNIQUE (edition_id, session_id),
    CHECK ((opening = 'on_date') = (opens_at IS NOT NULL))
);
CREATE INDEX edition_sessions_by_session ON programs.edition_sessions (session_id);

-- +goose StatementBegin
CREATE FUNCTION programs.keep_the_promise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL AND (NEW.program_id, NEW.version_number, NEW.key, NEW.published_at)
       IS DISTINCT FROM (OLD.program_id, OLD.version_number, OLD.key, OLD.published_at) THEN
        RAISE EXCEPTION 'edition % was published: it keeps the version that it was sold with', OLD.key
            USING ERRCODE = 'check_violation', CONSTRAINT = 'edition_keeps_its_version';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION programs.keep_the_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE edition text := coalesce(CASE WHEN TG_OP <> 'INSERT' THEN OLD.edition_id END, NEW.edition_id);
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.edition_id, NEW.course_id, NEW.session_id) = (OLD.edition_id, OLD.course_id, OLD.session_id) THEN
        RETURN NEW; -- when a course opens may be changed
    END IF;
    IF EXISTS (SELECT 1 FROM programs.editions e WHERE e.id = edition AND e.published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'edition % was published: it keeps its sessions', edition
            USING ERRCODE = 'check_violation', CONSTRAINT = 'edition_keeps_its_sessions';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
-- +goose StatementEnd
CREATE TRIGGER edition_keeps_its_version BEFORE UPDATE ON programs.editions
    FOR EACH ROW EXECUTE FUNCTION programs.keep_the_promise();
CREATE TRIGGER edition_keeps_its_sessions BEFORE INSERT OR UPDATE OR DELETE ON programs.edition_sessions
    FOR EACH ROW EXECUTE FUNCTION programs.keep_the_sessions();

GRANT SELECT, INSERT ON programs.versions, programs.version_courses TO cursus_app;
GRANT SELECT, INSERT ON programs.programs, programs.editions TO cursus_app;
GRANT UPDATE (draft, version, state, current, visible, changed_at, changed_by) ON programs.programs TO cursus_app;
GRANT UPDATE (program_id, version_number, title_en, title_fr, lang, partner, capacity, starts_at, ends_at, enrol_from, enrol_until, state, version,
    published_at, changed_at, changed_by) ON programs.editions TO cursus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON programs.edition_sessions TO cursus_app;
