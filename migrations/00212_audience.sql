-- +goose Up
-- Whom a session is for stands in the export too.
GRANT SELECT (audience) ON catalog.sessions TO cursus_views;
CREATE OR REPLACE VIEW export.sessions AS
SELECT s.id AS session, s.key AS session_key, s.number AS session_number, c.key AS course_key, l.key AS collection_key, c.title_en AS course_title_en, c.title_fr AS course_title_fr,
       c.level, c.workload_hours, c.ects_hundredths, s.kind, s.language, s.publication AS state, s.closed, s.capacity, s.threshold_ppm, s.starts_at, s.ends_at, s.enrol_from, s.enrol_until,
       coalesce(nullif(s.audience, ''), c.level) AS audience
  FROM catalog.sessions s JOIN catalog.courses c ON c.id = s.course_id LEFT JOIN catalog.collections l ON l.id = c.collection_id;
COMMENT ON COLUMN export.sessions.audience IS 'For whom the session is: what it says itself, or else the level of its course. | text | catalog.sessions.audience, catalog.courses.level';
