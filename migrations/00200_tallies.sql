-- +goose Up
-- How many enrolments of a session came into a state and left it, at which instant, and when that was learnt. A sum over it answers what
-- the history answers, for any pair of times (true at, known at), without going through the history. It names nobody.
CREATE TABLE journey.tallies (
    session_id  text NOT NULL,
    at          timestamptz NOT NULL, -- since when it is true
    recorded_at timestamptz NOT NULL, -- when we learnt it
    reached     int NOT NULL,         -- what holds from then on
    ever        int NOT NULL,         -- what held at some time until then
    n           int NOT NULL CHECK (n <> 0)
);
CREATE INDEX tallies_by_session ON journey.tallies (session_id, at) INCLUDE (recorded_at, reached, ever, n);
CREATE TRIGGER tallies_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journey.tallies
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON journey.tallies TO cursus_app;

-- When the newest change of an enrolment was learnt: none is learnt before one that was written earlier, however transactions overtake.
ALTER TABLE journey.enrolments ADD COLUMN known_at timestamptz NOT NULL DEFAULT '-infinity';
UPDATE journey.enrolments e SET known_at = c.known_at
  FROM (SELECT enrolment_id, max(recorded_at) AS known_at FROM journey.changes GROUP BY enrolment_id) c WHERE c.enrolment_id = e.enrolment_id;

-- The tallies by the history alone: what was written before there were any, and what `cursus verify` compares with. What an enrolment's
-- history said at one time counts until it says something else.
CREATE VIEW journey.tallies_of_history WITH (security_invoker = true) AS
WITH told AS (
    SELECT c.enrolment_id, c.session_id, t.bit, c.reached::int AS reached, c.at, c.seq,
           max(c.recorded_at) OVER (PARTITION BY c.enrolment_id ORDER BY c.seq) AS known_at
      FROM journey.changes c JOIN journey.stages t ON t.stage = c.stage
), versions AS (
    SELECT enrolment_id, known_at, lead(known_at) OVER (PARTITION BY enrolment_id ORDER BY known_at) AS until
      FROM (SELECT DISTINCT enrolment_id, known_at FROM told) v
), turns AS ( -- by how much the sum of the bits changes
    SELECT c.enrolment_id, c.session_id, v.known_at, v.until, c.at,
           (c.reached - coalesce(lag(c.reached) OVER (PARTITION BY c.enrolment_id, v.known_at, c.bit ORDER BY c.at, c.seq), 0)) << c.bit AS turn
      FROM versions v JOIN told c ON c.enrolment_id = v.enrolment_id AND c.known_at <= v.known_at
), instants AS (
    SELECT enrolment_id, session_id, known_at, until, at, sum(turn) AS turn FROM turns GROUP BY enrolment_id, session_id, known_at, until, at
), states AS (
    SELECT i.*, sum(turn) OVER (PARTITION BY enrolment_id, known_at ORDER BY at)::int AS reached FROM instants i
), evers AS (
    SELECT s.*, bit_or(reached) OVER (PARTITION BY enrolment_id, known_at ORDER BY at) AS ever FROM states s
), steps AS (
    SELECT e.*, lag(reached) OVER w AS was, lag(ever) OVER w AS had FROM evers e WINDOW w AS (PARTITION BY enrolment_id, known_at ORDER BY at)
), moves AS (
    SELECT session_id, at, known_at, until, reached, ever, 1 AS n FROM steps WHERE (was, had) IS DISTINCT FROM (reached, ever)
    UNION ALL
    SELECT session_id, at, known_at, until, was, had, -1 FROM steps WHERE was IS NOT NULL AND (was, had) IS DISTINCT FROM (reached, ever)
)
SELECT session_id, at, recorded_at, reached, ever, sum(n)::int AS n
  FROM (SELECT session_id, at, known_at AS recorded_at, reached, ever, n FROM moves
        UNION ALL SELECT session_id, at, until, reached, ever, -n FROM moves WHERE until IS NOT NULL) m
 GROUP BY session_id, at, recorded_at, reached, ever HAVING sum(n) <> 0;
GRANT SELECT ON journey.tallies_of_history TO cursus_app;
INSERT INTO journey.tallies SELECT * FROM journey.tallies_of_history;

-- Sums of the tallies by whole days (UTC) of both times, of those that were learnt before a midnight. A question adds what is missing: the
-- instants of its own day, and what was learnt since. The tallies stay, so that every instant can be asked for.
CREATE INDEX tallies_by_recorded ON journey.tallies (session_id, recorded_at) INCLUDE (at, reached, ever, n);
CREATE TABLE journey.days (
    session_id text NOT NULL,
    day        date NOT NULL, -- of at
    known      date NOT NULL, -- of recorded_at
    reached    int NOT NULL,
    ever       int NOT NULL,
    n          int NOT NULL CHECK (n <> 0),
    PRIMARY KEY (session_id, day, known, reached, ever) INCLUDE (n)
);
CREATE TABLE journey.summed (
    id    boolean PRIMARY KEY DEFAULT true CHECK (id),
    until date NOT NULL -- what was learnt before it is in the days
);
INSERT INTO journey.summed (until) VALUES ('-infinity');
CREATE TRIGGER days_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journey.days FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON journey.days TO cursus_app;
GRANT SELECT, UPDATE ON journey.summed TO cursus_app;
