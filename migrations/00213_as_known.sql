-- +goose Up
-- What the catalogue said at an instant, for reports as something was known then.

-- What a session said in its version of an instant. Of what is older than its first version the first is the nearest.
-- +goose StatementBegin
CREATE FUNCTION catalog.session_said(session text, known_at timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT v.document FROM catalog.session_versions v WHERE v.session_id = session
     ORDER BY v.written_at <= known_at DESC, CASE WHEN v.written_at <= known_at THEN -v.version ELSE v.version END LIMIT 1;
$$;
-- +goose StatementEnd

-- The exercises of a session as it said them then; with no instant, as it says them.
-- +goose StatementBegin
CREATE FUNCTION catalog.exercises_said(session text, known_at timestamptz) RETURNS TABLE (label text, week int, scored bool) LANGUAGE sql STABLE AS $$
    SELECT x.label, x.week, x.scored FROM catalog.exercises x WHERE known_at IS NULL AND x.session_id = session
    UNION ALL
    SELECT e ->> 'label', coalesce((e ->> 'week')::int, 0), coalesce((e ->> 'scored')::bool, false)
      FROM jsonb_array_elements(CASE WHEN known_at IS NOT NULL THEN catalog.session_said(session, known_at) -> 'exercises' END) e;
$$;
-- +goose StatementEnd

-- What everybody read of a course: what was published by a move is shown from the move on; a course that nobody published yet shows its working copy,
-- and one that came published what it came with, until its first move. Of an instant before its first version it is the first.
-- +goose StatementBegin
CREATE FUNCTION catalog.course_said(course text, known_at timestamptz) RETURNS jsonb LANGUAGE sql STABLE AS $$
    WITH begun AS (
        SELECT (SELECT CASE m.from_state WHEN 'published' THEN m.version END FROM catalog.moves m WHERE m.kind = 'course' AND m.object_id = course ORDER BY m.seq LIMIT 1) AS came,
               (SELECT m.version FROM catalog.moves m WHERE m.kind = 'course' AND m.object_id = course AND m.to_state = 'published' ORDER BY m.seq LIMIT 1) AS published
    ), shown AS (
        SELECT v.version, v.written_at AS at, 0::bigint AS seq
          FROM catalog.course_versions v CROSS JOIN begun b
         WHERE v.course_id = course AND v.version <= coalesce(b.came, b.published, v.version)
        UNION ALL
        SELECT m.version, m.moved_at, m.seq FROM catalog.moves m WHERE m.kind = 'course' AND m.object_id = course AND m.to_state = 'published' AND m.version > 0
    )
    SELECT v.document
      FROM (SELECT s.version FROM shown s
             ORDER BY s.at <= known_at DESC, CASE WHEN s.at <= known_at THEN s.at END DESC NULLS LAST, CASE WHEN s.at <= known_at THEN s.seq END DESC NULLS LAST,
                      CASE WHEN s.at <= known_at THEN -s.version ELSE s.version END LIMIT 1) n
      JOIN catalog.course_versions v ON v.course_id = course AND v.version = n.version;
$$;
-- +goose StatementEnd
