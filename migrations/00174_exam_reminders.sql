-- +goose Up
-- The mail that reminds of an exam that can be booked, before it can be no more.
ALTER TABLE outreach.campaigns DROP CONSTRAINT campaigns_kind_check;
ALTER TABLE outreach.campaigns ADD CONSTRAINT campaigns_kind_check CHECK (kind IN ('announcement', 'weekly', 'nudge', 'opening', 'exam'));

-- Who may sit the exam that leads to the certificate and is not about to: in one session, or in all (''). Bookable: she has no booking that waits for
-- its result.
CREATE FUNCTION confidence.waiting(session text, now timestamptz) RETURNS TABLE (enrolment_id text, learner_id text, session_id text, reason text, bookable boolean, since timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT e.id, e.learner_id, e.session_id, CASE WHEN x.state IN ('no_show', 'booked') THEN 'did_not_come' ELSE 'not_booked' END, x.state IS DISTINCT FROM 'booked', d.decided_at
      FROM enrolment.enrolments e
      JOIN LATERAL (SELECT d.eligible, d.decided_at FROM exams.decisions d WHERE d.enrolment_id = e.id AND d.kind = 'proctored' ORDER BY d.seq DESC LIMIT 1) d ON d.eligible
      LEFT JOIN LATERAL (SELECT x.state, s.ends_at FROM exams.sittings x LEFT JOIN exams.slots s ON s.id = x.slot_id
                          WHERE x.enrolment_id = e.id AND x.kind = 'proctored' AND x.state <> 'canceled' ORDER BY x.attempt DESC LIMIT 1) x ON true
     WHERE (session = '' OR e.session_id = session) AND EXISTS (SELECT 1 FROM exams.decisions h WHERE h.enrolment_id = e.id AND h.kind = 'proctored')
       AND (x.state IS NULL OR x.state IN ('failed', 'no_show') OR x.state = 'booked' AND x.ends_at <= now)
$$;

-- The role of who calls learners, and that of who writes to them, which was told of and could be given to nobody.
ALTER TABLE identity.roles DROP CONSTRAINT role_known,
    ADD CONSTRAINT role_known CHECK (role IN ('catalogue', 'sales', 'refund', 'exams', 'certificates', 'analytics', 'cashier', 'outreach', 'coach', 'admin'));
