-- +goose Up
-- What a search compares: small letters without accents; œ and æ as two letters.
-- +goose StatementBegin
CREATE FUNCTION catalog.fold(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT regexp_replace(normalize(replace(replace(lower(said), 'œ', 'oe'), 'æ', 'ae'), NFD), '[\u0300-\u036f]', '', 'g') $$;
-- +goose StatementEnd

ALTER TABLE catalog.collections ADD COLUMN version int NOT NULL DEFAULT 1 CHECK (version > 0);

-- The columns of 00005 are what was published. The working copy stands beside them, as the document that authors edit.
ALTER TABLE catalog.courses
    ADD COLUMN state             text NOT NULL DEFAULT 'published' CHECK (state IN ('draft', 'review', 'published', 'archived')), -- of the working copy
    ADD COLUMN visible           boolean NOT NULL DEFAULT true, -- the public sees what was published last
    ADD COLUMN version           int NOT NULL DEFAULT 1 CHECK (version > 0), -- of the working copy
    ADD COLUMN published_version int NOT NULL DEFAULT 1 CHECK (published_version BETWEEN 0 AND version), -- 0: never published
    ADD COLUMN published_at      timestamptz,
    ADD COLUMN charter_version   int, -- that the published one was checked against; not known for what older doors made
    ADD COLUMN language          text NOT NULL DEFAULT '' CHECK (length(language) <= 35),
    ADD COLUMN ects_hundredths   int NOT NULL DEFAULT 0 CHECK (ects_hundredths BETWEEN 0 AND 6000), -- 0: not said
    ADD COLUMN skills            text NOT NULL DEFAULT '' CHECK (length(skills) <= 20000), -- the words of the targeted skills, for the search
    ADD CONSTRAINT course_visible_published CHECK (NOT visible OR published_version > 0);
ALTER TABLE catalog.courses ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('simple'::regconfig, catalog.fold(key || ' ' || title_en || ' ' || title_fr)), 'A')
    || setweight(to_tsvector('simple'::regconfig, catalog.fold(skills)), 'B')
    || setweight(to_tsvector('simple'::regconfig, catalog.fold(summary_en || ' ' || summary_fr)), 'C')) STORED;
CREATE INDEX courses_by_words ON catalog.courses USING gin (search);
CREATE INDEX courses_by_collection ON catalog.courses (collection_id, position, key);
UPDATE catalog.courses SET published_at = created_at;

-- Every working copy that ever was: nothing that somebody wrote is lost, and the published one is one of these.
CREATE TABLE catalog.course_versions (
    course_id  text NOT NULL REFERENCES catalog.courses,
    version    int NOT NULL CHECK (version > 0),
    document   jsonb NOT NULL CHECK (length(document::text) <= 1000000),
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (course_id, version)
);
CREATE TRIGGER course_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog.course_versions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
INSERT INTO catalog.course_versions (course_id, version, document, written_by, written_at)
SELECT c.id, 1, jsonb_build_object('collection', coalesce(l.key, ''), 'position', c.position, 'title', jsonb_build_object('en', c.title_en, 'fr', c.title_fr),
       'summary', jsonb_build_object('en', c.summary_en, 'fr', c.summary_fr), 'level', c.level, 'workload_hours', c.workload_hours), 'system', c.created_at
  FROM catalog.courses c LEFT JOIN catalog.collections l ON l.id = c.collection_id;

-- Who moved what from one state of publication to another. The objects are courses, and programs and editions, whose room
-- stands higher: that is why there is no foreign key.
CREATE TABLE catalog.moves (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind ~ '^[a-z_]{1,40}$'),
    object_id  text NOT NULL CHECK (length(object_id) BETWEEN 1 AND 60),
    version    int NOT NULL CHECK (version >= 0), -- of the working copy that was moved
    from_state text NOT NULL CHECK (from_state IN ('draft', 'review', 'published', 'archived')),
    to_state   text NOT NULL CHECK (to_state IN ('draft', 'review', 'published', 'archived') AND to_state <> from_state),
    note       text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    moved_by   text NOT NULL,
    moved_at   timestamptz NOT NULL
);
CREATE INDEX moves_by_object ON catalog.moves (kind, object_id, seq);
CREATE TRIGGER moves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog.moves
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- The rules for authors, as data. A new version never changes what was found under an older one.
CREATE TABLE catalog.charters (
    version    int PRIMARY KEY CHECK (version > 0),
    rules      jsonb NOT NULL CHECK (jsonb_typeof(rules) = 'array' AND length(rules::text) <= 200000),
    note       text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    written_by text NOT NULL,
    written_at timestamptz NOT NULL
);
CREATE TRIGGER charters_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog.charters
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- What a version of a course kept and broke when it was published.
CREATE TABLE catalog.conformance (
    course_id       text NOT NULL,
    version         int NOT NULL,
    charter_version int NOT NULL REFERENCES catalog.charters,
    report          jsonb NOT NULL,
    checked_at      timestamptz NOT NULL,
    PRIMARY KEY (course_id, version, charter_version),
    FOREIGN KEY (course_id, version) REFERENCES catalog.course_versions
);
CREATE TRIGGER conformance_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog.conformance
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON catalog.course_versions, catalog.moves, catalog.charters, catalog.conformance TO cursus_app;
