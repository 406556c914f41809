-- +goose Up
-- A retake of an exam is sold as everything is: a formula that opens that and nothing else.
ALTER TABLE offers.formulas
    DROP CONSTRAINT entitlements_known,
    ADD CONSTRAINT entitlements_known CHECK (entitlements <@ ARRAY['knowledge', 'practice', 'know_how', 'labs', 'extra_content',
        'proctored_exam', 'certificate', 'workshop', 'manager_report', 'coaching', 'exam_retake'] AND cardinality(entitlements) > 0),
    ADD CONSTRAINT retake_alone CHECK (NOT 'exam_retake' = ANY (entitlements) OR cardinality(entitlements) = 1 AND NOT qualifying);

-- A part that takes no place in its session: who buys a retake is in it already.
ALTER TABLE sales.parts ADD COLUMN place boolean NOT NULL DEFAULT true;

-- One further attempt at the exam of an enrolment, by a paid order. It is no grant: it opens nothing of the session, and who has nothing else is
-- not enrolled by it.
CREATE TABLE enrolment.retakes (
    id              text PRIMARY KEY CHECK (id LIKE 'rtk\_%'),
    enrolment_id    text NOT NULL REFERENCES enrolment.enrolments,
    order_id        text NOT NULL CONSTRAINT one_retake_per_order UNIQUE, -- sales, above, owns it
    granted_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoked_because text CHECK (length(revoked_because) <= 200),
    used_by         text CONSTRAINT one_retake_per_sitting UNIQUE,        -- the sitting that it pays for; exams, above, owns it
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX retakes_by_enrolment ON enrolment.retakes (enrolment_id);
ALTER TABLE enrolment.retakes ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON enrolment.retakes TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON enrolment.retakes FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM enrolment.enrolments e WHERE e.id = enrolment_id AND platform.actor() = 'learner:' || e.learner_id));
GRANT SELECT, INSERT ON enrolment.retakes TO cursus_app;
GRANT UPDATE (revoked_at, revoked_because, used_by) ON enrolment.retakes TO cursus_app;

-- How many of the attempts need no paid retake; null: none does. A sitting keeps what held when it was booked.
ALTER TABLE exams.exams ADD COLUMN included_attempts int CHECK (included_attempts BETWEEN 1 AND 20);
GRANT UPDATE (included_attempts) ON exams.exams TO cursus_app;
ALTER TABLE exams.sittings ADD COLUMN included int CHECK (included BETWEEN 1 AND 20);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION exams.disputed(enrolment text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT EXISTS (SELECT 1 FROM enrolment.grants g JOIN sales.orders o ON o.id = g.order_id
                    WHERE g.enrolment_id = enrolment AND g.revoked_at IS NULL AND o.state = 'disputed')
        OR EXISTS (SELECT 1 FROM enrolment.retakes r JOIN sales.orders o ON o.id = r.order_id
                    WHERE r.enrolment_id = enrolment AND r.revoked_at IS NULL AND o.state = 'disputed')
$$;
-- +goose StatementEnd
