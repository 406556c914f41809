-- +goose Up
-- What a session said at each of its versions, with its exercise map: who changed what the public sees, when, and what stood there before.
-- A session is in force as it stands, so it has no working copy; this is the memory that a course has in course_versions.
CREATE TABLE catalog.session_versions (
    session_id text NOT NULL REFERENCES catalog.sessions,
    version    int NOT NULL CHECK (version > 0),
    document   jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    written_by text NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, version)
);
CREATE TRIGGER session_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog.session_versions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON catalog.session_versions TO cursus_app;

-- The sessions of before begin with what they say now.
INSERT INTO catalog.session_versions (session_id, version, document, written_by, written_at)
SELECT s.id, s.version, jsonb_strip_nulls(jsonb_build_object(
         'key', s.key, 'course', c.key, 'number', nullif(s.number, 0), 'title', jsonb_build_object('en', nullif(s.title_en, ''), 'fr', nullif(s.title_fr, '')),
         'kind', s.kind, 'platform', s.platform, 'platform_key', nullif(s.platform_key, ''), 'course_url', nullif(s.course_url, ''),
         'audience', nullif(s.audience, ''), 'language', nullif(s.language, ''), 'threshold_ppm', s.threshold_ppm, 'starts_at', s.starts_at, 'ends_at', s.ends_at,
         'enrol_from', s.enrol_from, 'enrol_until', s.enrol_until, 'closed', s.closed, 'capacity', s.capacity, 'policy', s.policy, 'min_days', s.min_days,
         'production_ppm', s.production_ppm, 'publication', s.publication, 'exercises', (
           SELECT jsonb_agg(jsonb_build_object('label', e.label, 'week', e.week, 'scored', e.scored, 'activity', e.activity, 'weight_ppm', e.weight_ppm) ORDER BY e.position)
             FROM catalog.exercises e WHERE e.session_id = s.id))),
       'system', now()
  FROM catalog.sessions s JOIN catalog.courses c ON c.id = s.course_id;

-- Staff find a course by the words of its working copy, not only by those of what was published. Empty: nothing was drafted since.
ALTER TABLE catalog.courses ADD COLUMN drafted text NOT NULL DEFAULT '' CHECK (length(drafted) <= 100000);
UPDATE catalog.courses c
   SET drafted = concat_ws(E'\n', c.key, v.document #>> '{title,en}', v.document #>> '{title,fr}', v.document #>> '{summary,en}', v.document #>> '{summary,fr}', (
         SELECT string_agg(concat_ws(E'\n', s #>> '{title,en}', s #>> '{title,fr}'), E'\n')
           FROM jsonb_array_elements(CASE jsonb_typeof(v.document -> 'skills') WHEN 'array' THEN v.document -> 'skills' ELSE '[]' END) s))
  FROM catalog.course_versions v WHERE v.course_id = c.id AND v.version = c.version;
ALTER TABLE catalog.courses ADD COLUMN drafted_search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, catalog.fold(drafted))) STORED;
CREATE INDEX courses_by_drafted_words ON catalog.courses USING gin (drafted_search);
